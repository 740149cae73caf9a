/*
 * intake - a store that is filled from elsewhere, in one transaction.
 *
 * What a kill leaves of it is frames of a log that no commit ends, which
 * SQLite passes over.
 *
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "server/store/arena.h"
#include "server/store/database.h"
#include "server/store/datadir.h"
#include "server/store/fault.h"
#include "server/store/reader.h"
#include "server/store/rows.h"
#include "server/store/store.h"

/* Where the mark stands: among the counters, which pass over such names. */
#define MARK "imported:"

struct store_intake {
	struct datadir *dir;
	sqlite3 *db;
	struct rows *rows;
	struct arena *arena; /* rows_apply() wants one; nothing is read */
	int64_t first, next; /* ids */
};

static const char anything[] =
    "SELECT EXISTS (SELECT 1 FROM jobs) OR EXISTS (SELECT 1 FROM queues)"
    " OR EXISTS (SELECT 1 FROM counters) OR EXISTS (SELECT 1 FROM notes)"
    " OR EXISTS (SELECT 1 FROM results)";

static const char highest[] =
    "SELECT max(coalesce((SELECT max(id) FROM jobs), 0),"
    " coalesce((SELECT max(seq) FROM jobs), 0),"
    " coalesce((SELECT max(id) FROM results), 0))";

/* A queue that is paused on either side is paused. */
static const char add_queue[] =
    "INSERT INTO queues (name, paused) VALUES (?1, ?2) ON CONFLICT (name)"
    " DO UPDATE SET paused = max(paused, excluded.paused)";

static const char add_counter[] =
    "INSERT INTO counters (name, value) VALUES (?1, ?2) ON CONFLICT (name)"
    " DO UPDATE SET value = value + excluded.value";

static const char count_jobs[] =
    "SELECT state, CASE state WHEN 1 THEN queue END AS line, count(*)"
    " FROM jobs WHERE id >= ?1 GROUP BY 1, 2 ORDER BY 1, 2";

/* ---- whether it may be filled ------------------------------------------------ */

/* One mark from this source, or with any from whichever. */
static int
look_for_mark(
    struct store_intake *in, const char *source, bool any, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int r = 0,
	    rc = sqlite3_prepare_v2(in->db,
		"SELECT substr(name, length(?1) + 1), value FROM counters"
		" WHERE substr(name, 1, length(?1)) = ?1"
		" AND (?3 OR name = ?1 || ?2)",
		-1, &q, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_text(q, 1, MARK, -1, SQLITE_STATIC);
		sqlite3_bind_text(q, 2, source, -1, SQLITE_STATIC);
		sqlite3_bind_int(q, 3, any);
		rc = sqlite3_step(q);
	}
	if (rc == SQLITE_ROW) {
		char when[TIMESTAMP_MAX];

		timestamp_format(sqlite3_column_int64(q, 1), when);
		r = err_set(e, EEXIST,
		    "%s was imported into it at %s; to import again, begin "
		    "with an empty directory",
		    (const char *)sqlite3_column_text(q, 0), when);
	} else if (rc != SQLITE_DONE) {
		r = fault_set(e, in->db, rc, "reading it");
	}
	sqlite3_finalize(q);
	return r;
}

static int
prove_willing(
    struct store_intake *in, const char *source, bool merge, struct err *e)
{
	int64_t full = 0, last = 0;

	if (look_for_mark(in, source, !merge, e) < 0 ||
	    reader_ask(in->db, anything, &full, e) < 0 ||
	    reader_ask(in->db, highest, &last, e) < 0)
		return -e->code;
	if (full != 0 && !merge)
		return err_set(e, EEXIST,
		    "it is not empty; choose an empty directory, or add to "
		    "it with --merge");
	in->first = in->next = last + 1;
	return 0;
}

static int
begin(struct store_intake *in, const char *source, bool merge, struct err *e)
{
	in->rows = rows_new(in->db, e);
	if (in->rows == NULL || prove_willing(in, source, merge, e) < 0)
		return -e->code;
	database_trust(in->db);
	int rc = rows_begin(in->rows);
	if (rc != SQLITE_OK)
		return fault_set(e, in->db, rc, "begin");
	char mark[sizeof MARK + STORE_SOURCE_MAX];
	snprintf(mark, sizeof mark, MARK "%s", source);
	return store_intake_counter(in, mark, clock_wall(), e);
}

struct store_intake *
store_intake_open(
    const char *dir, const char *source, bool merge, struct err *e)
{
	struct store_intake *in = calloc(1, sizeof *in);

	if (in == NULL || (in->arena = arena_new()) == NULL) {
		err_set(e, ENOMEM, "out of memory");
		store_intake_free(in);
		return NULL;
	}
	if (strlen(source) > STORE_SOURCE_MAX) {
		err_set(e, ENAMETOOLONG, "the source's name is too long");
	} else if ((in->dir = datadir_open(dir, e)) != NULL &&
	    database_open(datadir_file(in->dir), &in->db, e) == 0) {
		if (begin(in, source, merge, e) == 0)
			return in;
		err_wrap(e, "%s", dir);
	}
	store_intake_free(in);
	return NULL;
}

/* ---- filling it ---------------------------------------------------------------- */

int
store_intake_job(
    struct store_intake *in, const struct store_job *job, struct err *e)
{
	struct store_change c = { .kind = STORE_ADD, .job = *job };

	c.job.id = c.job.seq = in->next;
	int rc = rows_apply(in->rows, &c, in->arena);
	if (rc != SQLITE_OK)
		return fault_set(e, in->db, rc, "not written");
	if (c.result < 0)
		return err_set(
		    e, -c.result, "not written: %s", strerror(-c.result));
	in->next++;
	return 0;
}

static int
add(struct store_intake *in, const char *sql, const char *name, int64_t value,
    struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(in->db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 2, value);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	int r = rc == SQLITE_DONE ? 0 : fault_set(e, in->db, rc, "not written");
	sqlite3_finalize(q);
	return r;
}

int
store_intake_queue(
    struct store_intake *in, const char *name, bool paused, struct err *e)
{
	return add(in, add_queue, name, paused, e);
}

int
store_intake_counter(
    struct store_intake *in, const char *name, int64_t value, struct err *e)
{
	return add(in, add_counter, name, value, e);
}

int
store_intake_counts(
    struct store_intake *in, store_counted *counted, void *ctx, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(in->db, count_jobs, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(q, 1, in->first);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW)
			counted(ctx, (enum job_state)sqlite3_column_int(q, 0),
			    (const char *)sqlite3_column_text(q, 1),
			    sqlite3_column_int64(q, 2));
	}
	int r = rc == SQLITE_DONE ? 0 : fault_set(e, in->db, rc, "counting");
	sqlite3_finalize(q);
	return r;
}

int
store_intake_commit(struct store_intake *in, struct err *e)
{
	int rc = rows_commit(in->rows);

	if (rc != SQLITE_OK)
		return fault_set(e, in->db, rc, "not written to disk");
	return 0;
}

void
store_intake_free(struct store_intake *in)
{
	if (in == NULL)
		return;
	if (in->rows != NULL && sqlite3_get_autocommit(in->db) == 0)
		rows_rollback(in->rows);
	rows_free(in->rows);
	sqlite3_close(in->db); /* moves the log into the file */
	datadir_close(in->dir);
	arena_free(in->arena);
	free(in);
}
