/*
 * A database is opened when it is ours and whole; anything else is refused
 * with its name and the reason, and left as it was.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/store/schema.h"
#include "tests/unit/storedir.h"

static sqlite3 *
open_good(const struct storedir *d)
{
	struct err e = { 0 };
	sqlite3 *db = NULL;

	if (database_open(d->file, &db, &e) < 0)
		fail_msg("%s", e.text);
	return db;
}

static void
must_refuse(const struct storedir *d, int code, const char *why)
{
	struct err e = { 0 };
	sqlite3 *db = NULL;
	char want[512];

	assert_int_equal(database_open(d->file, &db, &e), -code);
	assert_null(db);
	snprintf(want, sizeof want, "%s%s", d->file, why);
	assert_string_equal(e.text, want);
}

static char *
slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *bytes = malloc(1 << 20);

	assert_non_null(f);
	assert_non_null(bytes);
	*len = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

static void
a_new_one_is_for_its_owner_alone_whatever_the_umask(void **state)
{
	static const mode_t masks[] = { 0, 022, 0277 };
	struct storedir d;

	(void)state;
	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		storedir_make(&d);
		mode_t before = umask(masks[i]);
		sqlite3 *db = open_good(&d);
		assert_int_equal(
		    sqlite3_exec(db, "INSERT INTO queues VALUES ('q', 0)", NULL,
			NULL, NULL),
		    0);
		umask(before);
		assert_int_equal(storedir_mode(&d, "/faktotum.db"), 0600);
		assert_int_equal(storedir_mode(&d, "/faktotum.db-wal"), 0600);
		assert_int_equal(storedir_mode(&d, "/faktotum.db-shm"), 0600);
		sqlite3_close(db);
		storedir_remove(&d);
	}
}

static int
say_it(void *out, int n, char **values, char **names)
{
	(void)n;
	(void)names;
	snprintf(out, 32, "%s", values[0]);
	return 0;
}

static void
each_commit_is_synced_and_readers_are_let_in(void **state)
{
	static const struct {
		const char *ask, *want;
	} cases[] = {
		{ "PRAGMA journal_mode", "wal" },
		{ "PRAGMA synchronous", "2" },
		{ "PRAGMA locking_mode", "normal" },
		{ "PRAGMA wal_autocheckpoint", "0" },
		{ "PRAGMA mmap_size", "0" },
		{ "PRAGMA secure_delete", "2" },
		{ "PRAGMA application_id", "1178684244" },
		{ "PRAGMA user_version", "4" },
	};
	struct storedir d;
	char said[32];

	(void)state;
	storedir_make(&d);
	sqlite3 *db = open_good(&d);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		strcpy(said, "nothing");
		assert_int_equal(
		    sqlite3_exec(db, cases[i].ask, say_it, said, NULL), 0);
		assert_string_equal(said, cases[i].want);
	}
	assert_int_equal(schema_version(), 4);
	sqlite3_close(db);
	storedir_remove(&d);
}

static void
what_is_not_ours_is_refused_and_left_as_it_was(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} cases[] = {
		{ "", 0, ": not a Faktotum database; it was left as it is" },
		{ "this is not a database, but it is longer than a header is: "
		  "one hundred bytes, which is where SQLite looks for its own "
		  "name first",
		    120, ": cannot be read: file is not a database" },
	};
	struct storedir d;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct stat st;
		size_t len;

		storedir_make(&d);
		storedir_write(
		    &d, "/faktotum.db", cases[i].bytes, cases[i].len);
		must_refuse(&d, EUCLEAN, cases[i].why);
		char *bytes = slurp(d.file, &len);
		assert_int_equal(len, cases[i].len);
		assert_memory_equal(bytes, cases[i].bytes, len);
		free(bytes);
		assert_int_equal(stat(d.file, &st), 0);
		storedir_remove(&d);
	}
}

static void
anothers_database_is_refused(void **state)
{
	struct storedir d;

	(void)state;
	storedir_make(&d);
	storedir_write(&d, "/faktotum.db", "", 0);
	storedir_run(&d, "CREATE TABLE theirs (x)");
	must_refuse(
	    &d, EUCLEAN, ": not a Faktotum database; it was left as it is");
	assert_int_equal(
	    storedir_ask(&d, "SELECT count(*) FROM sqlite_master"), 1);
	storedir_remove(&d);
}

/* What an older Faktotum has written goes on, with the tables of today. */
static void
an_older_one_is_brought_up_to_date(void **state)
{
	struct storedir d;

	(void)state;
	storedir_make(&d);
	sqlite3_close(open_good(&d));
	storedir_run(&d,
	    "DROP VIEW v_results; DROP TABLE results; DROP TABLE notes; ALTER "
	    "TABLE jobs DROP COLUMN deaths;"
	    "PRAGMA user_version = 1; INSERT INTO queues VALUES ('kept', 1);"
	    "INSERT INTO jobs (id, state, seq, due, enqueued_at, reserved_at,"
	    " retry, reserve_for, retry_count, jid, jobtype, queue, payload)"
	    " VALUES (7, 1, 8, 0, 9, 0, 3, 60, -1, 'j', 't', 'q', '{}')");
	sqlite3_close(open_good(&d));
	assert_int_equal(
	    storedir_ask(&d, "PRAGMA user_version"), schema_version());
	assert_int_equal(storedir_ask(&d, "SELECT count(*) FROM notes"), 0);
	assert_int_equal(storedir_ask(&d, "SELECT count(*) FROM v_results"), 0);
	assert_int_equal(storedir_ask(&d, "SELECT paused FROM queues"), 1);
	assert_int_equal(
	    storedir_ask(&d,
		"SELECT deaths = 0 AND id = 7 AND seq = 8 AND retry = 3 AND"
		" jid = 'j' AND payload = '{}' FROM jobs"),
	    1);
	assert_int_equal(
	    storedir_ask(&d, "SELECT waiting FROM v_queues WHERE queue = 'q'"),
	    1);
	storedir_remove(&d);
}

static void
a_newer_one_is_refused(void **state)
{
	struct storedir d;

	(void)state;
	storedir_make(&d);
	sqlite3_close(open_good(&d));
	storedir_run(&d, "PRAGMA user_version = 7");
	must_refuse(&d, EUCLEAN,
	    ": written by a newer Faktotum (schema 7, this one knows up to 4); "
	    "it was left as it is");
	assert_int_equal(storedir_ask(&d, "PRAGMA user_version"), 7);
	storedir_remove(&d);
}

static void
one_cut_short_is_refused_and_left_as_it_was(void **state)
{
	struct storedir d;
	size_t before, after;

	(void)state;
	storedir_make(&d);
	sqlite3_close(open_good(&d));
	char *whole = slurp(d.file, &before);
	assert_int_equal(truncate(d.file, (off_t)before - 4096), 0);
	must_refuse(
	    &d, EUCLEAN, ": cannot be read: database disk image is malformed");
	char *rest = slurp(d.file, &after);
	assert_int_equal(after, before - 4096);
	assert_memory_equal(rest, whole, after);
	free(whole);
	free(rest);
	storedir_remove(&d);
}

/* Played back into a new file, the log of a lost one would make nonsense. */
static void
a_log_without_its_file_is_refused(void **state)
{
	struct storedir d;
	struct err e = { 0 };
	sqlite3 *db;
	char want[1024];

	(void)state;
	storedir_make(&d);
	storedir_write(&d, "/faktotum.db-wal", "frames", 6);
	assert_int_equal(database_open(d.file, &db, &e), -EUCLEAN);
	snprintf(want, sizeof want,
	    "%s is missing, but its log %s-wal is there: put the file back, or "
	    "move the log away to start empty",
	    d.file, d.file);
	assert_string_equal(e.text, want);
	assert_int_equal(access(d.file, F_OK), -1);
	storedir_remove(&d);
}

/* It is space for a log, and has nothing of anybody. */
static void
a_log_of_zeros_is_none(void **state)
{
	static const char zeros[64 * 1024];
	struct storedir d;
	size_t size;

	(void)state;
	storedir_make(&d);
	storedir_write(&d, "/faktotum.db-wal", zeros, sizeof zeros);
	sqlite3_close(open_good(&d));
	free(slurp(d.file, &size));

	/* Nor does it excuse a last page that is there in part. */
	storedir_write(&d, "/faktotum.db-wal", zeros, sizeof zeros);
	assert_int_equal(truncate(d.file, (off_t)size - 100), 0);
	must_refuse(
	    &d, EUCLEAN, ": cannot be read: it is cut short within a page");
	storedir_remove(&d);
}

static void
a_half_made_one_is_made_again(void **state)
{
	struct storedir d;
	char fresh[320];

	(void)state;
	storedir_make(&d);
	storedir_write(&d, "/faktotum.db.new", "half", 4);
	sqlite3_close(open_good(&d));
	snprintf(fresh, sizeof fresh, "%s.new", d.file);
	assert_int_equal(access(fresh, F_OK), -1);
	storedir_remove(&d);
}

/* docs/store.md promises these columns. */
static void
the_views_tell_people_what_there_is(void **state)
{
	static const char jobs[] =
	    "INSERT INTO queues VALUES ('default', 1), ('empty', 0);"
	    "INSERT INTO jobs VALUES"
	    " (1, 1, 1, 0, 1700000000500000000, 0, 25, 1800, -1, 0, 'a', 't',"
	    "  'default', NULL, NULL, NULL, '{}'),"
	    " (2, 1, 2, 0, 1700000001000000000, 0, 25, 1800, -1, 0, 'b', 't',"
	    "  'new', NULL, NULL, NULL, '{}'),"
	    " (3, 2, 3, 1700000002000000000, 5, 1700000001000000000, 25, 1800,"
	    "  -1, 0, 'c', 't', 'default', 'w', NULL, NULL, '{}'),"
	    " (4, 3, 4, 1700000003000000000, 0, 0, 25, 1800, -1, 0, 'd', 't',"
	    "  'default', NULL, NULL, NULL, '{}'),"
	    " (5, 4, 5, 1700000004000000000, 5, 0, 25, 1800, 2, 0, 'e', 't',"
	    "  'default', NULL, '2023-01-01T00:00:00Z',"
	    "  '{\"errtype\":\"E\",\"message\":\"m\"}', '{}'),"
	    " (6, 5, 6, 1700000005000000000, 5, 0, 0, 1800, 0, 0, 'f', 't',"
	    "  'default', NULL, '2023-01-01T00:00:00Z', 'not JSON', '{}')";
	static const char *const all_true[] = {
		"SELECT count(*) = 3 FROM v_queues",
		"SELECT paused = 1 AND waiting = 1 AND"
		" oldest = '2023-11-14T22:13:20.500Z'"
		" FROM v_queues WHERE queue = 'default'",
		"SELECT paused = 0 AND waiting = 0 AND oldest IS NULL"
		" FROM v_queues WHERE queue = 'empty'",
		"SELECT paused = 0 AND waiting = 1"
		" FROM v_queues WHERE queue = 'new'",
		"SELECT jid = 'c' AND jobtype = 't' AND queue = 'default' AND"
		" wid = 'w' AND since = '2023-11-14T22:13:21.000Z' AND"
		" expires_at = '2023-11-14T22:13:22.000Z' AND"
		" retry_count = -1 AND payload = '{}' FROM v_working",
		"SELECT jid = 'd' AND jobtype = 't' AND queue = 'default' AND"
		" at = '2023-11-14T22:13:23.000Z' AND payload = '{}'"
		" FROM v_scheduled",
		"SELECT jid = 'e' AND jobtype = 't' AND queue = 'default' AND"
		" retry_at = '2023-11-14T22:13:24.000Z' AND retry_count = 2"
		" AND retry = 25 AND failed_at = '2023-01-01T00:00:00Z' AND"
		" errtype = 'E' AND message = 'm' AND payload = '{}'"
		" FROM v_retries",
		"SELECT jid = 'f' AND jobtype = 't' AND queue = 'default' AND"
		" purge_at = '2023-11-14T22:13:25.000Z' AND retry_count = 0"
		" AND retry = 0 AND errtype IS NULL AND message IS NULL AND"
		" payload = '{}' FROM v_dead",
	};
	struct storedir d;

	(void)state;
	storedir_make(&d);
	sqlite3 *db = open_good(&d);
	assert_int_equal(sqlite3_exec(db, jobs, NULL, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof all_true / sizeof all_true[0]; i++)
		if (storedir_ask(&d, all_true[i]) != 1)
			fail_msg("%s", all_true[i]);
	sqlite3_close(db);
	storedir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_new_one_is_for_its_owner_alone_whatever_the_umask),
		cmocka_unit_test(each_commit_is_synced_and_readers_are_let_in),
		cmocka_unit_test(
		    what_is_not_ours_is_refused_and_left_as_it_was),
		cmocka_unit_test(anothers_database_is_refused),
		cmocka_unit_test(an_older_one_is_brought_up_to_date),
		cmocka_unit_test(a_newer_one_is_refused),
		cmocka_unit_test(one_cut_short_is_refused_and_left_as_it_was),
		cmocka_unit_test(a_log_without_its_file_is_refused),
		cmocka_unit_test(a_log_of_zeros_is_none),
		cmocka_unit_test(a_half_made_one_is_made_again),
		cmocka_unit_test(the_views_tell_people_what_there_is),
	};

	return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
