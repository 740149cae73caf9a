/*
 * schema - the tables and views, and how an older file becomes a newer one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/store/fault.h"
#include "server/store/reader.h"

/* "FAKT", where file(1) and SQLite's own tools look for it. */
enum { APPLICATION_ID = 0x46414b54 };

/* SQL is laid out as SQL. */
/* clang-format off */

/* ns as RFC 3339 with milliseconds; NULL for 0, which is "never". */
#define MOMENT(column) \
    "CASE WHEN " column " > 0 THEN" \
    " strftime('%Y-%m-%dT%H:%M:%fZ', " column " / 1e9, 'unixepoch') END"

#define FAILED \
    " retry_count, retry, failed_at," \
    " CASE WHEN json_valid(failure)" \
    "  THEN json_extract(failure, '$.errtype') END AS errtype," \
    " CASE WHEN json_valid(failure)" \
    "  THEN json_extract(failure, '$.message') END AS message,"

#define VIEWS \
    "CREATE VIEW v_queues AS" \
    " SELECT queue, max(paused) AS paused, sum(waiting) AS waiting, " \
    MOMENT("min(since)") " AS oldest FROM (" \
    "  SELECT name AS queue, paused, 0 AS waiting, NULL AS since FROM queues" \
    "  UNION ALL" \
    "  SELECT queue, 0, 1, nullif(enqueued_at, 0) FROM jobs WHERE state = 1)" \
    " GROUP BY queue ORDER BY queue;" \
    "CREATE VIEW v_working AS" \
    " SELECT jid, jobtype, queue, wid, " \
    MOMENT("reserved_at") " AS since, " \
    MOMENT("due") " AS expires_at, retry_count, payload" \
    " FROM jobs WHERE state = 2 ORDER BY reserved_at, id;" \
    "CREATE VIEW v_scheduled AS" \
    " SELECT jid, jobtype, queue, " \
    MOMENT("due") " AS at, payload" \
    " FROM jobs WHERE state = 3 ORDER BY due, id;" \
    "CREATE VIEW v_retries AS" \
    " SELECT jid, jobtype, queue, " \
    MOMENT("due") " AS retry_at," FAILED " payload" \
    " FROM jobs WHERE state = 4 ORDER BY due, id;" \
    "CREATE VIEW v_dead AS" \
    " SELECT jid, jobtype, queue, " \
    MOMENT("due") " AS purge_at," FAILED " payload" \
    " FROM jobs WHERE state = 5 ORDER BY due, id;"

/*
 * No index but the row's id: the server keeps ids, order and due times in
 * memory, and an index of random job ids on disk costs five times the
 * throughput at a million jobs. The payload is last, so that the scan at
 * start never reads what lies on its overflow pages.
 */
static const char version_1[] =
    "CREATE TABLE jobs ("
    " id INTEGER PRIMARY KEY,"
    " state INTEGER NOT NULL," /* enum job_state */
    " seq INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"
    " enqueued_at INTEGER NOT NULL,"
    " reserved_at INTEGER NOT NULL,"
    " retry INTEGER NOT NULL,"
    " reserve_for INTEGER NOT NULL,"
    " retry_count INTEGER NOT NULL,"
    " jid TEXT NOT NULL,"
    " jobtype TEXT NOT NULL,"
    " queue TEXT NOT NULL,"
    " wid TEXT,"
    " failed_at TEXT,"
    " failure TEXT,"
    " payload TEXT NOT NULL);"

    "CREATE TABLE counters ("
    " name TEXT PRIMARY KEY,"
    " value INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE queues ("
    " name TEXT PRIMARY KEY,"
    " paused INTEGER NOT NULL) WITHOUT ROWID;"
    VIEWS;

/* Few rows: workers that are to be told something. */
static const char version_2[] =
    "CREATE TABLE notes ("
    " wid TEXT NOT NULL,"
    " note INTEGER NOT NULL," /* enum store_note */
    " jid TEXT NOT NULL,"
    " value INTEGER NOT NULL,"
    " PRIMARY KEY (wid, note, jid)) WITHOUT ROWID;";

/*
 * Counts the workers that died with a job. The column stands before the
 * payload, for the reason above, so the table is written anew.
 */
static const char version_3[] =
    "DROP VIEW v_queues; DROP VIEW v_working; DROP VIEW v_scheduled;"
    "DROP VIEW v_retries; DROP VIEW v_dead;"
    "ALTER TABLE jobs RENAME TO jobs_2;"
    "CREATE TABLE jobs ("
    " id INTEGER PRIMARY KEY,"
    " state INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " due INTEGER NOT NULL,"
    " enqueued_at INTEGER NOT NULL,"
    " reserved_at INTEGER NOT NULL,"
    " retry INTEGER NOT NULL,"
    " reserve_for INTEGER NOT NULL,"
    " retry_count INTEGER NOT NULL,"
    " deaths INTEGER NOT NULL,"
    " jid TEXT NOT NULL,"
    " jobtype TEXT NOT NULL,"
    " queue TEXT NOT NULL,"
    " wid TEXT,"
    " failed_at TEXT,"
    " failure TEXT,"
    " payload TEXT NOT NULL);"
    "INSERT INTO jobs SELECT id, state, seq, due, enqueued_at, reserved_at,"
    " retry, reserve_for, retry_count, 0, jid, jobtype, queue, wid,"
    " failed_at, failure, payload FROM jobs_2;"
    "DROP TABLE jobs_2;"
    VIEWS;

/* The document is last, as the payload is. */
static const char version_4[] =
    "CREATE TABLE results ("
    " id INTEGER PRIMARY KEY," /* the job's */
    " at INTEGER NOT NULL,"
    " jid TEXT NOT NULL,"
    " document TEXT NOT NULL);"

    "CREATE VIEW v_results AS"
    " SELECT jid, " MOMENT("at") " AS at, document"
    " FROM results ORDER BY results.at, id;";

/* clang-format on */

/* Step n brings version n to n + 1. Steps are added, never changed. */
static const char *const steps[] = { version_1, version_2, version_3,
	version_4 };

int
schema_version(void)
{
	return (int)(sizeof steps / sizeof steps[0]);
}

static int
run(sqlite3 *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fault_set(e, db, rc, "schema");
}

static int
bring_up(sqlite3 *db, int64_t from, struct err *e)
{
	char numbers[96];

	snprintf(numbers, sizeof numbers,
	    "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    APPLICATION_ID, schema_version());
	if (run(db, "BEGIN IMMEDIATE", e) < 0)
		return -e->code;
	for (int64_t v = from; v < schema_version(); v++)
		if (run(db, steps[v], e) < 0)
			goto fail;
	if (run(db, numbers, e) < 0 || run(db, "COMMIT", e) < 0)
		goto fail;
	return 0;

fail:
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -e->code;
}

int
schema_create(sqlite3 *db, struct err *e)
{
	return bring_up(db, 0, e);
}

int
schema_look(sqlite3 *db, int64_t *version, struct err *e)
{
	int64_t id = 0;

	if (reader_ask(db, "PRAGMA application_id", &id, e) < 0 ||
	    reader_ask(db, "PRAGMA user_version", version, e) < 0)
		return -e->code;
	if (id != APPLICATION_ID || *version < 1)
		return err_set(e, EUCLEAN,
		    "not a Faktotum database; it was left as it is");
	if (*version > schema_version())
		return err_set(e, EUCLEAN,
		    "written by a newer Faktotum (schema %" PRId64
		    ", this one knows up to %d); it was left as it is",
		    *version, schema_version());
	return 0;
}

int
schema_check(sqlite3 *db, struct err *e)
{
	int64_t version = 0;

	if (schema_look(db, &version, e) < 0)
		return -e->code;
	return version < schema_version() ? bring_up(db, version, e) : 0;
}
