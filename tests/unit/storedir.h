/*
 * storedir - a scratch directory for one test, and a look into its database.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_STOREDIR_H
#define TESTS_UNIT_STOREDIR_H

#include <ftw.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct storedir {
	char path[256];
	char file[300]; /* path/faktotum.db */
};

static inline void
storedir_make(struct storedir *d)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(d->path, sizeof d->path, "%.200s/store.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(d->path));
	snprintf(d->file, sizeof d->file, "%s/faktotum.db", d->path);
}

static inline int
storedir_drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void
storedir_remove(struct storedir *d)
{
	assert_int_equal(
	    nftw(d->path, storedir_drop, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline unsigned
storedir_mode(const struct storedir *d, const char *name)
{
	char path[600];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", d->path, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777u;
}

static inline void
storedir_write(
    const struct storedir *d, const char *name, const void *bytes, size_t len)
{
	char path[600];

	snprintf(path, sizeof path, "%s%s", d->path, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* The first number that a query gives, asked as an outside reader asks. */
static inline int64_t
storedir_ask(const struct storedir *d, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *q;

	assert_int_equal(
	    sqlite3_open_v2(d->file, &db, SQLITE_OPEN_READONLY, NULL), 0);
	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return n;
}

/* Runs SQL on the file as someone who may write. */
static inline void
storedir_run(const struct storedir *d, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(
	    sqlite3_open_v2(d->file, &db, SQLITE_OPEN_READWRITE, NULL), 0);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
	sqlite3_close(db);
}

#endif
