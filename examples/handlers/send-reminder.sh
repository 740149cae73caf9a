#!/bin/sh
# send-reminder FILE -- TEXT - note the moment and the text.
#
# SPDX-License-Identifier: ISC
set -eu
printf '%s %s\n' "$(date +%s.%N)" "$3" >>"$1"
