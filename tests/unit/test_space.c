/*
 * What a backlog leaves behind is given back in short steps, by the writer
 * when it has nothing else to do; what is there stays. And what jobs take is
 * told before they are stored, no less than it is.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "server/store/database.h"
#include "server/store/store.h"
#include "server/store/writer.h"
#include "tests/unit/storedir.h"

static off_t
size_of(const struct storedir *d)
{
	struct stat st;

	assert_int_equal(stat(d->file, &st), 0);
	return st.st_size;
}

static void
fill(sqlite3 *db, int jobs)
{
	char sql[640];

	snprintf(sql, sizeof sql,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < %d) INSERT INTO jobs (id, state, seq, due,"
	    " enqueued_at, reserved_at, retry, reserve_for, retry_count, "
	    "deaths,"
	    " jid, jobtype, queue, wid, failed_at, failure, payload) SELECT i, "
	    "1, "
	    "i, 0, 1, 0, 25, 1800,"
	    " -1, 0, 'job-' || i, 't', 'q', NULL, NULL, NULL,"
	    " printf('{\"args\":[\"%%s\"]}', hex(zeroblob(1500))) FROM n",
	    jobs);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
}

static void
run(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
}

/* Enough is free: it is given back step by step, down to the reserve. */
static void
the_file_shrinks_in_steps(void **state)
{
	struct storedir d;
	struct space s;
	sqlite3 *db;

	(void)state;
	storedir_make(&d);
	assert_int_equal(database_open(d.file, &db, NULL), 0);
	space_init(&s, db);
	assert_true(s.possible);
	fill(db, 10000);
	space_look(&s, db);
	assert_false(s.wanted);
	run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	off_t full = size_of(&d);

	/* Those at the end stay: they have to be moved. */
	run(db, "DELETE FROM jobs WHERE id <= 9000");
	space_look(&s, db);
	assert_true(s.wanted);
	int64_t pages = storedir_ask(&d, "PRAGMA page_count");
	int steps = 0;
	while (s.wanted) {
		assert_int_equal(space_step(&s, db), SQLITE_OK);
		int64_t now = storedir_ask(&d, "PRAGMA page_count");
		assert_true(now < pages && now >= pages - SPACE_STEP - 2);
		pages = now;
		steps++;
	}
	assert_true(steps > 10);
	run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_true(size_of(&d) < full / 4 + (off_t)SPACE_TO * 4096);
	assert_int_equal(storedir_ask(&d, "SELECT count(*) FROM jobs"), 1000);
	assert_int_equal(
	    storedir_ask(
		&d, "SELECT count(*) FROM jobs WHERE length(payload) = 3013"),
	    1000);
	assert_int_equal(storedir_ask(&d,
			     "SELECT count(*) FROM pragma_integrity_check"
			     " WHERE integrity_check = 'ok'"),
	    1);
	sqlite3_close(db);
	storedir_remove(&d);
}

/* A little is kept for what comes next. */
static void
little_is_left_alone(void **state)
{
	struct storedir d;
	struct space s;
	sqlite3 *db;

	(void)state;
	storedir_make(&d);
	assert_int_equal(database_open(d.file, &db, NULL), 0);
	space_init(&s, db);
	fill(db, 3000);
	run(db, "DELETE FROM jobs");
	space_look(&s, db);
	assert_false(s.wanted);
	fill(db, 20000);
	run(db, "DELETE FROM jobs WHERE id % 5 = 0");
	space_look(&s, db);
	assert_false(s.wanted);
	sqlite3_close(db);
	storedir_remove(&d);
}

/* The writer does it by itself, and is then content. */
static void
the_writer_does_it_when_idle(void **state)
{
	struct storedir d;
	struct err e = { 0 };
	sqlite3 *db;

	(void)state;
	storedir_make(&d);
	assert_int_equal(database_open(d.file, &db, &e), 0);
	fill(db, 10000);
	run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	off_t full = size_of(&d);
	run(db, "DELETE FROM jobs WHERE id <= 9000");
	sqlite3_close(db);

	assert_int_equal(database_open(d.file, &db, &e), 0);
	struct writer *w = writer_new(db, &e);
	assert_non_null(w);
	assert_true(writer_wants_step(w));
	int turns = 0;
	while (writer_wants_idle(w) && turns++ < 100000)
		writer_idle(w);
	assert_false(writer_wants_idle(w));
	writer_free(w);
	assert_true(size_of(&d) < full / 2);
	assert_int_equal(storedir_ask(&d, "SELECT count(*) FROM jobs"), 1000);
	storedir_remove(&d);
}

/* Of any size: else a batch goes into what is kept back. */
static void
jobs_take_no_more_than_was_said(void **state)
{
	static const size_t sizes[] = { 2, 150, 760, 800, 1300, 1400, 1790,
		2100, 3800, 3810, 4030, 4300, 4325, 8000, 8400, 8420, 20000,
		61000, 700000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char jobtype[61], sql[700];
		struct storedir d;
		sqlite3 *db;
		int n = sizes[i] < 100000 ? 300 : 4;

		memset(jobtype, 't', 60);
		jobtype[60] = '\0';
		storedir_make(&d);
		assert_int_equal(database_open(d.file, &db, NULL), 0);
		int64_t before = storedir_ask(&d, "PRAGMA page_count");
		snprintf(sql, sizeof sql,
		    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1"
		    " FROM n WHERE i < %d) INSERT INTO jobs (id, state, seq,"
		    " due, enqueued_at, reserved_at, retry, reserve_for,"
		    " retry_count, deaths, jid, jobtype, queue, payload)"
		    " SELECT 5000000000 + i, 1, 5000000000 + i, 1e18, 1e18,"
		    " 1e18, 25, 1800, -1, 0, 'jid-of-24-bytes-' || (10000000"
		    " + i), '%s', 'a-queue-of-20-bytes-', zeroblob(%zu)"
		    " FROM n",
		    n, jobtype, sizes[i]);
		run(db, sql);
		int64_t took = storedir_ask(&d, "PRAGMA page_count") - before;
		/* Some pages for the tree above them, and for where each is. */
		int64_t said = n * (int64_t)store_bytes_of(sizes[i]) / 4096;
		assert_true(took <= said + said / 100 + 4);
		assert_true(said <= 2 * took + n / 8 + 4);
		sqlite3_close(db);
		storedir_remove(&d);
	}
}

/* A look knows all commits before it, and none that comes after; what gives
 * space back asks for no look. */
static void
a_look_says_how_much_it_has_seen(void **state)
{
	struct storedir d;
	struct space s;
	sqlite3 *db;

	(void)state;
	storedir_make(&d);
	assert_int_equal(database_open(d.file, &db, NULL), 0);
	space_init(&s, db);
	assert_true(s.spare == INT64_MAX);
	assert_int_equal(s.commits, 0);
	fill(db, 10000);
	assert_int_equal(s.commits, 1);
	assert_int_equal(s.seen, 0);
	space_look_around(&s, db, 0);
	assert_int_equal(s.seen, 1);
	int64_t bytes = s.spare;
	assert_true(bytes < INT64_MAX);
	run(db, "DELETE FROM jobs");
	assert_int_equal(s.seen, 1);
	space_look(&s, db);
	assert_true(s.wanted);
	space_look_around(&s, db, 0);
	assert_int_equal(s.seen, 2);
	assert_int_equal(space_step(&s, db), SQLITE_OK);
	assert_int_equal(s.commits, 2);
	sqlite3_close(db);
	storedir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_shrinks_in_steps),
		cmocka_unit_test(little_is_left_alone),
		cmocka_unit_test(the_writer_does_it_when_idle),
		cmocka_unit_test(jobs_take_no_more_than_was_said),
		cmocka_unit_test(a_look_says_how_much_it_has_seen),
	};

	return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
