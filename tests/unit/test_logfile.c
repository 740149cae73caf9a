/*
 * A commit is one write and one sync of the log, which is as long as it may,
 * is moved into the database, and holds up nobody for long.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/logfile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/writer_bench.h"

static void
told_means_synced(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(add_jobs(b, 3, 300), 0);
		assert_int_equal(faultvfs_unsynced(), 0);
	}
	assert_int_equal(jobs_on_disk(b), 60);
}

static void
a_commit_is_one_write(void **state)
{
	struct bench *b = *state;

	/* The first one writes the log's header, and syncs it by itself. */
	assert_int_equal(add_jobs(b, 3, 300), 0);
	for (int i = 0; i < 20; i++) {
		faultvfs.writes = 0;
		assert_int_equal(add_jobs(b, 50, 300), 0);
		assert_int_equal(faultvfs.writes, 1);
		assert_int_equal(faultvfs_unsynced(), 0);
	}
}

/* The first so many writes of a large commit arrive, and the next does not. */
static void
half_a_commit_is_none(void **state)
{
	struct bench *b = *state;
	int64_t told = 0;
	int failed = 0;

	for (int good = 0; failed == good; good++) {
		for (size_t i = 0; i < 2; i++) {
			int error = i == 0 ? ENOSPC : EIO;
			struct storedir cut;
			sqlite3 *db;

			faultvfs.write = error;
			faultvfs.good = good;
			int r = add_jobs(b, 300, 4000);
			faultvfs.write = 0;
			if (r == 0)
				told += 300;
			else
				assert_int_equal(r, -error);
			failed += i == 0 && r < 0;
			assert_int_equal(jobs_on_disk(b), told);
			assert_int_equal(add_jobs(b, 1, 10), 0);
			assert_int_equal(jobs_on_disk(b), ++told);
			storedir_make(&cut);
			faultvfs_power_cut(cut.path);
			assert_int_equal(
			    database_open(cut.file, &db, &b->why), 0);
			sqlite3_close(db);
			assert_int_equal(
			    storedir_ask(&cut, "SELECT count(*) FROM jobs"),
			    told);
			storedir_remove(&cut);
		}
	}
	assert_true(failed > 5);
}

static off_t
log_size(const struct bench *b)
{
	char path[400];
	struct stat st;

	snprintf(path, sizeof path, "%s-wal", b->dir.file);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void
a_long_log_is_written_back(void **state)
{
	struct bench *b = *state;

	/* Some 20,000 pages in all; a log that nobody cuts holds them all. */
	for (int i = 0; i < 200; i++) {
		assert_int_equal(add_jobs(b, 100, 4000), 0);
		writer_checkpoint(b->writer);
	}
	assert_true(log_size(b) < 6000 * 4096);
	off_t size = log_size(b);
	assert_true(writer_wants_idle(b->writer));
	writer_idle(b->writer);
	assert_false(writer_wants_idle(b->writer));
	assert_int_equal(jobs_on_disk(b), 20000);

	/* It is begun afresh, in the space that it has. */
	assert_int_equal(add_jobs(b, 200, 4000), 0);
	assert_int_equal(log_size(b), size);
}

/* Commits what `write` writes until the log has been moved; how many. */
static size_t
commits_until_moved(struct bench *b, void (*write)(struct bench *b))
{
	size_t n = 0, moves = faultvfs.moves;

	while (faultvfs.moves == moves) {
		write(b);
		writer_checkpoint(b->writer);
		n++;
		assert_true(n < 5000);
	}
	return n;
}

static void
write_ten_pages_or_so(struct bench *b)
{
	assert_int_equal(add_jobs(b, 10, 4000), 0);
}

static void
write_a_page_again(struct bench *b)
{
	struct store_change *rest;

	memset(&b->changes[0], 0, sizeof b->changes[0]);
	b->changes[0].kind = STORE_COUNT;
	b->changes[0].name = "again";
	b->changes[0].value = b->next_id++;
	arena_clear(b->arena);
	assert_int_equal(writer_write(b->writer, link_changes(b, 1), &rest,
			     b->arena, &b->why),
	    0);
}

/*
 * Whoever has something to write waits while the log is moved, and what that
 * takes is a matter of how many different pages are in it.
 */
static void
many_different_pages_are_moved_before_they_take_long(void **state)
{
	struct bench *b = *state;

	(void)commits_until_moved(b, write_ten_pages_or_so);
	for (int i = 0; i < 10; i++)
		assert_in_range(
		    commits_until_moved(b, write_ten_pages_or_so), 20, 60);
	assert_true(log_size(b) < 1000 * 4096);
}

/* Moving it costs a sync: not for pages that are soon written again. */
static void
few_pages_written_again_and_again_are_moved_seldom(void **state)
{
	struct bench *b = *state;

	(void)commits_until_moved(b, write_a_page_again);
	assert_true(commits_until_moved(b, write_a_page_again) >= 1500);
}

static void
a_reader_that_stays_stops_nobody(void **state)
{
	struct bench *b = *state;
	sqlite3 *reader;

	assert_int_equal(add_jobs(b, 1, 10), 0);
	assert_int_equal(
	    sqlite3_open_v2(b->dir.file, &reader, SQLITE_OPEN_READONLY, NULL),
	    0);
	assert_int_equal(
	    sqlite3_exec(
		reader, "BEGIN; SELECT count(*) FROM jobs", NULL, NULL, NULL),
	    0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(add_jobs(b, 100, 4000), 0);
		writer_checkpoint(b->writer);
	}
	writer_idle(b->writer);
	assert_false(writer_wants_idle(b->writer));
	assert_true(log_size(b) > 0);
	sqlite3_close(reader);

	for (int i = 0; i < 100; i++)
		assert_int_equal(add_jobs(b, 100, 4000), 0);
	assert_true(writer_wants_idle(b->writer));
	writer_idle(b->writer);
	assert_false(writer_wants_idle(b->writer));
	assert_int_equal(log_size(b), 0);
	assert_int_equal(jobs_on_disk(b), 20001);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(told_means_synced),
		ON_BENCH(a_commit_is_one_write),
		ON_BENCH(half_a_commit_is_none),
		ON_BENCH(a_long_log_is_written_back),
		ON_BENCH(many_different_pages_are_moved_before_they_take_long),
		ON_BENCH(few_pages_written_again_and_again_are_moved_seldom),
		ON_BENCH(a_reader_that_stays_stops_nobody),
	};

	return cmocka_run_group_tests_name("logfile", tests, NULL, NULL);
}
