/*
 * rows - one change as one statement.
 *
 * TAKE reads and then writes: two statements are a tenth faster here than one
 * UPDATE with RETURNING, which gathers its answer in a table of its own first.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/fault.h"

enum sentence {
	BEGIN,
	COMMIT,
	ROLLBACK,
	ADD,
	MOVE,
	MOVE_ALL,
	READ,
	REMOVE,
	COUNT,
	NAME,
	PAUSE,
	UNNAME,
	EMPTY,
	NOTE,
	UNNOTE,
	KEEP,
	KEPT,
	UNKEEP,
	CLEAR_JOBS,
	CLEAR_COUNTERS,
	CLEAR_QUEUES,
	CLEAR_NOTES,
	CLEAR_RESULTS,
	SENTENCES,
};

#define PLACE                                                                  \
	"state = ?2, seq = ?3, due = ?4,"                                      \
	" enqueued_at = iif(?5 < 0, enqueued_at, ?5),"                         \
	" reserved_at = ?6, wid = ?7, deaths = ?17"

static const char *const text[SENTENCES] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ADD] = "INSERT INTO jobs (id, state, seq, due, enqueued_at,"
		" reserved_at, wid, retry_count, failed_at, failure, payload,"
		" retry, reserve_for, jid, jobtype, queue, deaths) VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		" ?12, ?13, ?14, ?15, ?16, ?17)",
	[MOVE] = "UPDATE jobs SET " PLACE " WHERE id = ?1",
	[MOVE_ALL] = "UPDATE jobs SET " PLACE ","
		     " retry_count = iif(?12, ?8, retry_count),"
		     " failed_at = iif(?12, ?9, failed_at),"
		     " failure = iif(?12, ?10, failure),"
		     " payload = coalesce(?11, payload) WHERE id = ?1",
	[READ] = "SELECT payload, failure, enqueued_at FROM jobs"
		 " WHERE id = ?1",
	[REMOVE] = "DELETE FROM jobs WHERE id = ?1",
	[COUNT] = "INSERT INTO counters (name, value) VALUES (?1, ?2)"
		  " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	[NAME] = "INSERT INTO queues (name, paused) VALUES (?1, 0)"
		 " ON CONFLICT (name) DO NOTHING",
	[PAUSE] = "INSERT INTO queues (name, paused) VALUES (?1, ?2)"
		  " ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
	[UNNAME] = "DELETE FROM queues WHERE name = ?1",
	[EMPTY] = "DELETE FROM jobs WHERE state = 1 AND queue = ?1",
	[NOTE] = "INSERT INTO notes (wid, note, jid, value)"
		 " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (wid, note, jid)"
		 " DO UPDATE SET value = excluded.value",
	[UNNOTE] = "DELETE FROM notes"
		   " WHERE wid = ?1 AND note = ?2 AND jid = ?3",
	[KEEP] = "INSERT OR REPLACE INTO results (id, at, jid, document)"
		 " VALUES (?1, ?2, ?3, ?4)",
	[KEPT] = "SELECT document, NULL, at FROM results WHERE id = ?1",
	[UNKEEP] = "DELETE FROM results WHERE id = ?1",
	[CLEAR_JOBS] = "DELETE FROM jobs",
	[CLEAR_COUNTERS] = "DELETE FROM counters",
	[CLEAR_QUEUES] = "DELETE FROM queues",
	[CLEAR_NOTES] = "DELETE FROM notes",
	[CLEAR_RESULTS] = "DELETE FROM results",
};

struct rows {
	sqlite3 *db; /* borrowed */
	sqlite3_stmt *statement[SENTENCES];
};

struct rows *
rows_new(sqlite3 *db, struct err *e)
{
	struct rows *r = calloc(1, sizeof *r);

	if (r == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	r->db = db;
	for (int i = 0; i < SENTENCES; i++) {
		int rc = sqlite3_prepare_v3(db, text[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &r->statement[i], NULL);

		if (rc != SQLITE_OK) {
			(void)fault_set(e, db, rc, "schema");
			rows_free(r);
			return NULL;
		}
	}
	return r;
}

void
rows_free(struct rows *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < SENTENCES; i++)
		sqlite3_finalize(r->statement[i]);
	free(r);
}

/* Runs a statement that gives no rows. */
static int
run(struct rows *r, enum sentence which)
{
	int rc = sqlite3_step(r->statement[which]);

	(void)sqlite3_reset(r->statement[which]);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The same for one that must find its row. */
static int
run_on_row(struct rows *r, enum sentence which, struct store_change *c)
{
	int rc = run(r, which);

	if (rc == SQLITE_OK && sqlite3_changes(r->db) == 0)
		c->result = -ENOENT;
	return rc;
}

/*
 * What is bound stays where it is: a change's bytes live until its done call.
 * A binding fails only for a text too large for a row, or a bug.
 */
static int
bind_text(sqlite3_stmt *q, int at, const char *bytes, size_t len)
{
	if (bytes == NULL)
		return sqlite3_bind_null(q, at);
	return sqlite3_bind_text64(
	    q, at, bytes, len, SQLITE_STATIC, SQLITE_UTF8);
}

static int
bind_word(sqlite3_stmt *q, int at, const char *word)
{
	return bind_text(q, at, word, word == NULL ? 0 : strlen(word));
}

static int
bind_place(sqlite3_stmt *q, const struct store_job *job)
{
	const char *wid = job->wid;

	if (wid != NULL && wid[0] == '\0')
		wid = NULL;
	sqlite3_bind_int64(q, 1, job->id);
	sqlite3_bind_int64(q, 2, job->state);
	sqlite3_bind_int64(q, 3, job->seq);
	sqlite3_bind_int64(q, 4, job->due);
	sqlite3_bind_int64(q, 5, job->enqueued_at);
	sqlite3_bind_int64(q, 6, job->reserved_at);
	sqlite3_bind_int64(q, 17, job->deaths);
	return bind_word(q, 7, wid);
}

static int
bind_contents(sqlite3_stmt *q, const struct store_job *job)
{
	int rc = bind_word(q, 9, job->failed_at);

	sqlite3_bind_int64(q, 8, job->retry_count);
	if (rc == SQLITE_OK)
		rc = bind_text(q, 10, job->failure, job->failure_len);
	if (rc == SQLITE_OK)
		rc = bind_text(q, 11, job->payload, job->payload_len);
	return rc;
}

static int
add(struct rows *r, struct store_change *c)
{
	sqlite3_stmt *q = r->statement[ADD];
	const struct store_job *job = &c->job;
	int rc = bind_place(q, job);

	if (rc == SQLITE_OK)
		rc = bind_contents(q, job);
	sqlite3_bind_int64(q, 12, job->retry);
	sqlite3_bind_int64(q, 13, job->reserve_for);
	if (rc == SQLITE_OK)
		rc = bind_word(q, 14, job->jid);
	if (rc == SQLITE_OK)
		rc = bind_word(q, 15, job->jobtype);
	if (rc == SQLITE_OK)
		rc = bind_word(q, 16, job->queue);
	return rc == SQLITE_OK ? run(r, ADD) : rc;
}

static int
move(struct rows *r, struct store_change *c)
{
	bool all = c->set_failure || c->job.payload != NULL;
	enum sentence which = all ? MOVE_ALL : MOVE;
	sqlite3_stmt *q = r->statement[which];
	int rc = bind_place(q, &c->job);

	if (rc == SQLITE_OK && all) {
		rc = bind_contents(q, &c->job);
		sqlite3_bind_int(q, 12, c->set_failure);
	}
	return rc == SQLITE_OK ? run_on_row(r, which, c) : rc;
}

/* Before sqlite3_column_bytes(), as SQLite wants it. */
static int
copy_column(sqlite3_stmt *q, int column, struct arena *a, const char **bytes,
    size_t *len)
{
	const unsigned char *found = sqlite3_column_text(q, column);

	*len = (size_t)sqlite3_column_bytes(q, column);
	*bytes = NULL;
	if (found == NULL)
		return sqlite3_column_type(q, column) == SQLITE_NULL
		    ? SQLITE_OK
		    : SQLITE_NOMEM;
	*bytes = arena_copy(a, found, *len);
	return *bytes == NULL ? SQLITE_NOMEM : SQLITE_OK;
}

static int
read_row(struct rows *r, enum sentence which, struct store_change *c,
    struct arena *a)
{
	sqlite3_stmt *q = r->statement[which];

	sqlite3_bind_int64(q, 1, c->job.id);
	int rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		rc = copy_column(
		    q, 0, a, &c->taken.payload, &c->taken.payload_len);
		if (rc == SQLITE_OK)
			rc = copy_column(
			    q, 1, a, &c->taken.failure, &c->taken.failure_len);
		c->taken.enqueued_at = sqlite3_column_int64(q, 2);
	} else if (rc == SQLITE_DONE) {
		c->result = -ENOENT;
		rc = SQLITE_OK;
	}
	(void)sqlite3_reset(q);
	return rc;
}

static int
take(struct rows *r, struct store_change *c, struct arena *a)
{
	int rc = read_row(r, READ, c, a);

	if (rc != SQLITE_OK || c->result < 0)
		return rc;
	if (c->job.enqueued_at >= 0)
		c->taken.enqueued_at = c->job.enqueued_at;
	return move(r, c);
}

static int
put_name(struct rows *r, enum sentence which, const struct store_change *c)
{
	sqlite3_stmt *q = r->statement[which];
	int rc = bind_word(q, 1, c->name);

	if (rc == SQLITE_OK && (which == COUNT || which == PAUSE))
		rc = sqlite3_bind_int64(q, 2, c->value);
	return rc == SQLITE_OK ? run(r, which) : rc;
}

static int
put_note(struct rows *r, enum sentence which, const struct store_change *c)
{
	sqlite3_stmt *q = r->statement[which];
	int rc = bind_word(q, 1, c->name);

	sqlite3_bind_int64(q, 2, c->note);
	if (rc == SQLITE_OK)
		rc = bind_word(q, 3, c->job.jid);
	if (rc == SQLITE_OK && which == NOTE)
		rc = sqlite3_bind_int64(q, 4, c->value);
	return rc == SQLITE_OK ? run(r, which) : rc;
}

static int
keep(struct rows *r, const struct store_change *c)
{
	sqlite3_stmt *q = r->statement[KEEP];
	int rc = bind_word(q, 3, c->job.jid);

	sqlite3_bind_int64(q, 1, c->job.id);
	sqlite3_bind_int64(q, 2, c->value);
	if (rc == SQLITE_OK)
		rc = bind_text(q, 4, c->job.payload, c->job.payload_len);
	return rc == SQLITE_OK ? run(r, KEEP) : rc;
}

static int
clear(struct rows *r)
{
	int rc = SQLITE_OK;

	for (int i = CLEAR_JOBS; i <= CLEAR_RESULTS && rc == SQLITE_OK; i++)
		rc = run(r, (enum sentence)i);
	return rc;
}

static int
dispatch(struct rows *r, struct store_change *c, struct arena *a)
{
	switch (c->kind) {
	case STORE_ADD:
		return add(r, c);
	case STORE_MOVE:
		return move(r, c);
	case STORE_TAKE:
		return take(r, c, a);
	case STORE_READ:
		return read_row(r, READ, c, a);
	case STORE_REMOVE:
		sqlite3_bind_int64(r->statement[REMOVE], 1, c->job.id);
		return run_on_row(r, REMOVE, c);
	case STORE_COUNT:
		return put_name(r, COUNT, c);
	case STORE_NAME:
		return put_name(r, NAME, c);
	case STORE_PAUSE:
		return put_name(r, PAUSE, c);
	case STORE_UNNAME:
		return put_name(r, UNNAME, c);
	case STORE_EMPTY:
		return put_name(r, EMPTY, c);
	case STORE_NOTE:
		return put_note(r, NOTE, c);
	case STORE_UNNOTE:
		return put_note(r, UNNOTE, c);
	case STORE_KEEP:
		return keep(r, c);
	case STORE_KEPT:
		return read_row(r, KEPT, c, a);
	case STORE_UNKEEP:
		sqlite3_bind_int64(r->statement[UNKEEP], 1, c->job.id);
		return run(r, UNKEEP);
	case STORE_CLEAR:
		return clear(r);
	}
	return SQLITE_MISUSE;
}

int
rows_apply(struct rows *r, struct store_change *c, struct arena *a)
{
	c->result = 0;
	int rc = dispatch(r, c, a);

	/* SQLite has undone the statement; the transaction goes on. */
	switch (rc) {
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		c->result = -EEXIST;
		return SQLITE_OK;
	case SQLITE_CONSTRAINT_NOTNULL:
		c->result = -EINVAL;
		return SQLITE_OK;
	case SQLITE_TOOBIG:
		c->result = -EMSGSIZE;
		return SQLITE_OK;
	default:
		return rc;
	}
}

int
rows_begin(struct rows *r)
{
	return run(r, BEGIN);
}

int
rows_commit(struct rows *r)
{
	return run(r, COMMIT);
}

void
rows_rollback(struct rows *r)
{
	/* Some failures have rolled back by themselves. */
	if (!sqlite3_get_autocommit(r->db))
		(void)run(r, ROLLBACK);
}
