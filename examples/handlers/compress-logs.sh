#!/bin/sh
# compress-logs - gzips the *.log files of a directory, its first argument, and
# says how far it is. Configure it with `args: ["{args.0}"]`, or as
# exec: [compress-logs.sh, --, "{args.0}"], and metrics: {logs_compressed_total:
# counter}; `faktotum` must be found along `path:`.
#
# Run by hand, without a supervisor, its messages go nowhere and do no harm.
# A second run finds the files done that the first one did.
#
# SPDX-License-Identifier: ISC
set -u
[ "${1-}" = -- ] && shift
dir=${1:?which directory?}

say() {
	faktotum msg "$@" 2>/dev/null || :
}

if ! cd "$dir"; then
	say error NoSuchDirectory "$dir cannot be entered" --retry no
	exit 1
fi
set -- *.log
[ -e "$1" ] || set --
total=$# done=0
for file; do
	gzip -f -- "$file" || exit 1
	done=$((done + 1))
	say progress $((100 * done / total)) "$file"
done
say metric logs_compressed_total "$done"
say log info "compressed" files="$done" directory="$dir"
say result "{\"files\":$done}"
