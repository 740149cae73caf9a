/*
 * space - pages that hold nothing any more, given back some at a time; and what
 * is left on the file system.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/space.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "server/store/reader.h"

enum { INCREMENTAL = 2, PAGE_SIZE = 4096 /* database.c */ };

/* What cannot be read counts as nothing: it is only about tidiness. */
static int64_t
ask(sqlite3 *db, const char *sql)
{
	int64_t n;

	return reader_ask(db, sql, &n, NULL) < 0 ? 0 : n;
}

static int
count_commit(void *ctx)
{
	struct space *s = ctx;

	if (!s->stepping)
		atomic_fetch_add(&s->commits, 1);
	return 0;
}

void
space_init(struct space *s, sqlite3 *db)
{
	s->possible = ask(db, "PRAGMA auto_vacuum") == INCREMENTAL;
	s->wanted = s->stepping = false;
	s->free = 0;
	s->left = INT64_MAX;
	atomic_init(&s->short_of, false);
	atomic_init(&s->spare, INT64_MAX);
	atomic_init(&s->commits, 0);
	atomic_init(&s->seen, 0);
	sqlite3_commit_hook(db, count_commit, s);
}

void
space_look(struct space *s, sqlite3 *db)
{
	int64_t free_pages = ask(db, "PRAGMA freelist_count");
	int64_t pages = ask(db, "PRAGMA page_count");

	s->used = pages - free_pages;
	s->free = free_pages;
	if (s->possible && !s->wanted)
		s->wanted = free_pages >= SPACE_FROM && free_pages >= pages / 4;
}

static int64_t
room_left(const struct space *s, int64_t pending)
{
	return s->left + s->free * PAGE_SIZE - pending;
}

/* Some commits may have used free pages since they were counted; and much of
 * the log goes where there is something already. Returns what the file has to
 * grow by for the log, if that is less than all of it. */
static int64_t
look_closely(struct space *s, sqlite3 *db, const char *file, int64_t pending)
{
	int64_t pages = ask(db, "PRAGMA page_count");
	struct stat st;

	s->free = ask(db, "PRAGMA freelist_count");
	if (pages == 0 || stat(file, &st) < 0)
		return pending;
	int64_t growth = pages * PAGE_SIZE - st.st_size;
	if (growth < 0)
		growth = 0;
	return growth < pending ? growth : pending;
}

static void
tell(struct space *s, int64_t spare)
{
	atomic_store(&s->spare, spare);
	atomic_store(&s->seen, atomic_load(&s->commits));
}

void
space_look_around(struct space *s, sqlite3 *db, int64_t pending)
{
	const char *file = sqlite3_db_filename(db, "main");
	bool was = atomic_load(&s->short_of);
	struct statvfs fs;

	if (file == NULL || *file == '\0' || statvfs(file, &fs) < 0) {
		s->left = INT64_MAX;
		atomic_store(&s->short_of, false);
		tell(s, INT64_MAX);
		return;
	}
	int64_t kept = (int64_t)(fs.f_blocks / SPACE_KEPT_SHARE * fs.f_frsize);
	if (kept > SPACE_KEPT)
		kept = SPACE_KEPT;
	s->left = (int64_t)(fs.f_bavail * fs.f_frsize);
	if (room_left(s, pending) < SPACE_NEAR * kept)
		pending = look_closely(s, db, file, pending);
	int64_t room = room_left(s, pending);
	int64_t enough = was ? 2 * kept : kept + kept / SPACE_TRIFLE_SHARE;
	atomic_store(&s->short_of, room < enough);
	tell(s, room - kept);
}

int
space_step(struct space *s, sqlite3 *db)
{
	char sql[64];

	if (!s->wanted)
		return SQLITE_OK;
	snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", SPACE_STEP);
	s->stepping = true;
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	s->stepping = false;
	s->wanted =
	    rc == SQLITE_OK && ask(db, "PRAGMA freelist_count") > SPACE_TO;
	return rc;
}
