#!/bin/sh
# export-audit - waits for a tape drive that was sold, and takes no hint.
#
# It hangs and ignores TERM, to show what a time-out does about it.
#
# SPDX-License-Identifier: ISC
trap '' TERM
echo "waiting for the tape drive" >&2
while :; do
	sleep 1
done
