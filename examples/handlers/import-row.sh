#!/bin/sh
# import-row - one row of a table, a JSON object on stdin, into SQLite.
#
# The row never becomes part of the SQL text: SQLite reads it from a file in
# the private directory that this runs in. The same row twice is one row, so
# it does no harm when a job runs again.
#
# SPDX-License-Identifier: ISC
set -u
IFS= read -r row
printf '%s' "$row" >row.json || exit 75
sqlite3 -bail -cmd '.timeout 30000' -cmd 'PRAGMA synchronous = NORMAL' \
    "$DATABASE" "
	INSERT OR REPLACE INTO language (id, name, scope, type)
	SELECT json_extract(row, '\$.id'), json_extract(row, '\$.name'),
	       json_extract(row, '\$.scope'), json_extract(row, '\$.type')
	FROM (SELECT CAST(readfile('row.json') AS TEXT) AS row)"

case $? in
0)    exit 0 ;;
5)    exit 75 ;; # SQLITE_BUSY: somebody else is writing; later
19)   exit 65 ;; # SQLITE_CONSTRAINT: this row will never fit
*)    exit 1 ;;
esac
