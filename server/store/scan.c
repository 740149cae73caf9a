/*
 * scan - everything that is in the database, told once, at start.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/scan.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "server/store/fault.h"

typedef int
visit(const struct store_visitor *v, sqlite3_stmt *q, struct err *e);

static const char *
word(sqlite3_stmt *q, int column)
{
	return (const char *)sqlite3_column_text(q, column);
}

static int
visit_queue(const struct store_visitor *v, sqlite3_stmt *q, struct err *e)
{
	const char *name = word(q, 0);
	int r = v->queue(v->ctx, name, sqlite3_column_int(q, 1) != 0);

	return r >= 0 ? 0 : err_set(e, -r, "queue %s: %s", name, strerror(-r));
}

static int
visit_counter(const struct store_visitor *v, sqlite3_stmt *q, struct err *e)
{
	const char *name = word(q, 0);
	int r = v->counter(v->ctx, name, sqlite3_column_int64(q, 1));

	return r >= 0 ? 0
		      : err_set(e, -r, "counter %s: %s", name, strerror(-r));
}

static int
visit_job(const struct store_visitor *v, sqlite3_stmt *q, struct err *e)
{
	struct store_job job = {
		.id = sqlite3_column_int64(q, 0),
		.state = (enum job_state)sqlite3_column_int(q, 1),
		.seq = sqlite3_column_int64(q, 2),
		.due = sqlite3_column_int64(q, 3),
		.enqueued_at = sqlite3_column_int64(q, 4),
		.reserved_at = sqlite3_column_int64(q, 5),
		.retry = sqlite3_column_int64(q, 6),
		.reserve_for = sqlite3_column_int64(q, 7),
		.retry_count = sqlite3_column_int64(q, 8),
		.jid = word(q, 9),
		.jobtype = word(q, 10),
		.queue = word(q, 11),
		.wid = word(q, 12),
		.failed_at = word(q, 13),
		.deaths = sqlite3_column_int64(q, 14),
		.payload = word(q, 15),
		.payload_len = (size_t)sqlite3_column_bytes(q, 15),
	};
	int r = v->job(v->ctx, &job);

	return r >= 0
	    ? 0
	    : err_set(e, -r, "job %" PRId64 ": %s", job.id, strerror(-r));
}

static int
visit_note(const struct store_visitor *v, sqlite3_stmt *q, struct err *e)
{
	const char *wid = word(q, 1);
	int r = v->note(v->ctx, (enum store_note)sqlite3_column_int(q, 0), wid,
	    word(q, 2), sqlite3_column_int64(q, 3));

	return r >= 0 ? 0 : err_set(e, -r, "note on %s: %s", wid, strerror(-r));
}

static int
visit_result(const struct store_visitor *v, sqlite3_stmt *q, struct err *e)
{
	const char *jid = word(q, 1);
	int r = v->result(v->ctx, sqlite3_column_int64(q, 0), jid,
	    sqlite3_column_int64(q, 2));

	return r >= 0 ? 0
		      : err_set(e, -r, "result of %s: %s", jid, strerror(-r));
}

static int
each(sqlite3 *db, const char *sql, visit *visit_row,
    const struct store_visitor *v, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int r = 0, rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(q)) == SQLITE_ROW && r == 0)
			r = visit_row(v, q, e);
	if (r == 0 && rc != SQLITE_DONE)
		r = fault_set(e, db, rc, "reading it");
	sqlite3_finalize(q);
	return r;
}

/*
 * Jobs in the order in which they lie in the file: sorting them by seq is left
 * to who keeps them, for whom most stand in order already.
 */
int
scan(sqlite3 *db, const struct store_visitor *v, struct err *e)
{
	int r = each(db, "SELECT name, paused FROM queues", visit_queue, v, e);

	if (r == 0)
		r = each(db, "SELECT name, value FROM counters", visit_counter,
		    v, e);
	if (r == 0)
		r = each(db,
		    "SELECT id, state, seq, due, enqueued_at, reserved_at,"
		    " retry, reserve_for, retry_count, jid, jobtype, queue,"
		    " wid, failed_at, deaths, CASE WHEN (state = 2 OR"
		    " (state = 1 AND wid IS NOT NULL)) AND"
		    " instr(payload, '\"backoff\"') THEN payload END"
		    " FROM jobs ORDER BY id",
		    visit_job, v, e);
	if (r == 0)
		r = each(db, "SELECT note, wid, jid, value FROM notes",
		    visit_note, v, e);
	if (r == 0)
		r = each(db, "SELECT id, jid, at FROM results ORDER BY at, id",
		    visit_result, v, e);
	return r;
}
