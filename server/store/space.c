/*
 * space - pages that hold nothing any more, given back some at a time.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/space.h"

#include <stdio.h>

#include "server/store/reader.h"

enum { INCREMENTAL = 2 };

/* What cannot be read counts as nothing: it is only about tidiness. */
static int64_t
ask(sqlite3 *db, const char *sql)
{
	int64_t n;

	return reader_ask(db, sql, &n, NULL) < 0 ? 0 : n;
}

void
space_init(struct space *s, sqlite3 *db)
{
	s->possible = ask(db, "PRAGMA auto_vacuum") == INCREMENTAL;
	s->wanted = false;
}

void
space_look(struct space *s, sqlite3 *db)
{
	int64_t free_pages = ask(db, "PRAGMA freelist_count");
	int64_t pages = ask(db, "PRAGMA page_count");

	s->used = pages - free_pages;
	if (s->possible && !s->wanted)
		s->wanted = free_pages >= SPACE_FROM && free_pages >= pages / 4;
}

int
space_step(struct space *s, sqlite3 *db)
{
	char sql[64];

	if (!s->wanted)
		return SQLITE_OK;
	snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", SPACE_STEP);
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	s->wanted =
	    rc == SQLITE_OK && ask(db, "PRAGMA freelist_count") > SPACE_TO;
	return rc;
}
