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
#include <sys/statvfs.h>

#include <cmocka.h>

#include "tests/unit/writer_bench.h"

enum {
	MIB = 1024 * 1024,
	USUAL = 32 + 4128 * (24 + 4096), /* writer.c: FULL_LOG */
	PLENTY = 256 * MIB,              /* and MUCH_LEFT */
};

/* What every file system has left, in bytes. */
static uint64_t room = (uint64_t)4096 * MIB;

/* In the place of the system's. */
int
statvfs(const char *restrict path, struct statvfs *restrict out)
{
	(void)path;
	memset(out, 0, sizeof *out);
	out->f_bsize = out->f_frsize = 4096;
	out->f_blocks = (uint64_t)64 * 1024 * MIB / 4096;
	out->f_bfree = out->f_bavail = room / 4096;
	return 0;
}

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

/* Idle time, until there is nothing more to do in it. */
static void
be_idle(struct bench *b)
{
	for (int i = 0; writer_wants_idle(b->writer); i++) {
		assert_true(i < 100);
		writer_idle(b->writer);
	}
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
	assert_true(writer_wants_idle(b->writer));
	be_idle(b);
	assert_int_equal(log_size(b), USUAL);
	assert_int_equal(jobs_on_disk(b), 20000);

	/* It is begun afresh, in the space that it has. */
	assert_int_equal(add_jobs(b, 200, 4000), 0);
	assert_int_equal(log_size(b), USUAL);
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
	assert_true(log_size(b) > 2 * USUAL);
	sqlite3_close(reader);

	for (int i = 0; i < 100; i++)
		assert_int_equal(add_jobs(b, 100, 4000), 0);
	assert_true(writer_wants_idle(b->writer));
	/* Emptied, and then made as long as usual again. */
	be_idle(b);
	assert_int_equal(log_size(b), USUAL);
	assert_int_equal(jobs_on_disk(b), 20001);
}

/* ---- the file's length is there before it is needed ------------------------ */

/* A commit that makes the file longer waits longer for its sync. */
static void
no_commit_makes_the_log_longer(void **state)
{
	struct bench *b = *state;

	assert_int_equal(log_size(b), 0);
	writer_lengthen(b->writer);
	be_idle(b);
	assert_int_equal(log_size(b), USUAL);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(add_jobs(b, 5, 300), 0);
		writer_checkpoint(b->writer);
		assert_int_equal(log_size(b), USUAL);
	}
	/* Not even the one that makes the log as long as it may be. */
	(void)commits_until_moved(b, write_a_page_again);
	assert_int_equal(log_size(b), USUAL);
	(void)commits_until_moved(b, write_ten_pages_or_so);
	assert_int_equal(log_size(b), USUAL);
}

/* Once it is long enough, idle time has nothing to do with it. */
static void
an_emptied_log_is_made_long_again_in_idle_time(void **state)
{
	struct bench *b = *state;

	writer_lengthen(b->writer);
	be_idle(b);
	assert_int_equal(add_jobs(b, 5, 300), 0);
	faultvfs.sync = EIO;
	assert_int_equal(add_jobs(b, 5, 300), -EIO);
	assert_false(writer_wants_idle(b->writer));
	faultvfs.sync = 0;
	writer_checkpoint(b->writer);
	assert_int_equal(log_size(b), 0);

	/* A little at a time: a client may come meanwhile. */
	assert_true(writer_wants_step(b->writer));
	writer_idle(b->writer);
	assert_in_range(log_size(b), 1, 2 * MIB);
	assert_int_equal(add_jobs(b, 5, 300), 0);
	writer_checkpoint(b->writer);
	be_idle(b);
	assert_int_equal(log_size(b), USUAL);
	assert_false(writer_wants_step(b->writer));
	assert_int_equal(jobs_after_kill(b), 10);
	assert_int_equal(jobs_after_power_cut(b), 10);
}

/* Where room may get short, space that is there for nothing is in the way. */
static void
a_file_system_without_plenty_of_room_is_left_alone(void **state)
{
	struct bench *b = *state;

	room = PLENTY + USUAL / 4096 * 4096;
	writer_lengthen(b->writer);
	be_idle(b);
	assert_int_equal(log_size(b), 0);
	assert_int_equal(add_jobs(b, 5, 300), 0);
	writer_checkpoint(b->writer);
	assert_false(writer_wants_idle(b->writer));
	assert_true(log_size(b) < MIB);

	/* There is room again: the next commit finds that out. */
	room += 4096;
	assert_int_equal(add_jobs(b, 5, 300), 0);
	writer_checkpoint(b->writer);
	assert_true(writer_wants_idle(b->writer));
	be_idle(b);
	assert_int_equal(log_size(b), USUAL);

	/* It has become short: what is behind the log is given back. */
	room = 32 * MIB;
	assert_int_equal(add_jobs(b, 5, 300), 0);
	writer_checkpoint(b->writer);
	assert_true(log_size(b) < MIB);
	assert_false(writer_wants_idle(b->writer));
	assert_int_equal(jobs_after_kill(b), 15);
	room = (uint64_t)4096 * MIB;
}

/* It is nobody's error, brings nobody into doubt, and is not tried again. */
static void
a_log_that_cannot_be_made_longer_stays_as_it_is(void **state)
{
	struct bench *b = *state;
	static const struct {
		int write, good, sync;
	} cases[] = {
		{ ENOSPC, 0, 0 },
		{ ENOSPC, 5, 0 },
		{ ENOSPC, 100, 0 },
		{ EDQUOT, 30, 0 },
		{ EIO, 0, 0 },
		{ EIO, 30, 0 },
		{ 0, 0, EIO },
	};
	size_t n = sizeof cases / sizeof *cases;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(add_jobs(b, 5, 300), 0);
		off_t before = log_size(b);
		size_t moves = faultvfs.moves;

		faultvfs.write = cases[i].write;
		faultvfs.good = cases[i].good;
		faultvfs.sync = cases[i].sync;
		writer_lengthen(b->writer);
		be_idle(b);
		faultvfs.write = faultvfs.sync = 0;
		assert_int_equal(log_size(b), before);
		assert_false(writer_wants_idle(b->writer));
		assert_int_equal(jobs_on_disk(b), 10 * i + 5);
		assert_int_equal(add_jobs(b, 5, 300), 0);
		writer_checkpoint(b->writer);
		assert_int_equal(faultvfs.moves, moves);
		assert_int_equal(jobs_after_kill(b), 10 * (i + 1));
		assert_int_equal(jobs_after_power_cut(b), 10 * (i + 1));
	}
}

/* The zeros are taken back, and what has been written over them is not. */
static void
a_step_that_fails_takes_no_commit_along(void **state)
{
	struct bench *b = *state;

	faultvfs.sync = EIO;
	assert_int_equal(add_jobs(b, 1, 300), -EIO);
	faultvfs.sync = 0;
	writer_checkpoint(b->writer);
	writer_idle(b->writer);
	writer_idle(b->writer);
	off_t before = log_size(b);
	assert_in_range(before, MIB, 3 * MIB);
	assert_int_equal(add_jobs(b, 300, 4000), 0);
	writer_checkpoint(b->writer);
	assert_int_equal(log_size(b), before);

	faultvfs.write = ENOSPC;
	writer_idle(b->writer);
	faultvfs.write = 0;
	assert_in_range(log_size(b), 300 * 4000, before - 1);
	assert_int_equal(jobs_on_disk(b), 300);
	assert_int_equal(jobs_after_kill(b), 300);
	assert_int_equal(jobs_after_power_cut(b), 300);
}

/* Zeros are no frames, nor are those of an earlier round of the log. */
static void
what_is_told_is_found_in_a_log_with_a_tail(void **state)
{
	struct bench *b = *state;

	writer_lengthen(b->writer);
	be_idle(b);
	assert_int_equal(jobs_after_kill(b), 0);
	for (int i = 1; i <= 30; i++) {
		assert_int_equal(add_jobs(b, 20, 4000), 0);
		assert_int_equal(log_size(b), USUAL);
		assert_int_equal(jobs_after_kill(b), i * 20);
		assert_int_equal(jobs_after_power_cut(b), i * 20);
		writer_checkpoint(b->writer);
		if (i % 10 == 0)
			be_idle(b);
	}
	writer_free(b->writer);
	open_again(b);
	assert_int_equal(jobs_on_disk(b), 600);
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
		ON_BENCH(no_commit_makes_the_log_longer),
		ON_BENCH(an_emptied_log_is_made_long_again_in_idle_time),
		ON_BENCH(a_file_system_without_plenty_of_room_is_left_alone),
		ON_BENCH(a_log_that_cannot_be_made_longer_stays_as_it_is),
		ON_BENCH(a_step_that_fails_takes_no_commit_along),
		ON_BENCH(what_is_told_is_found_in_a_log_with_a_tail),
	};

	return cmocka_run_group_tests_name("logfile", tests, NULL, NULL);
}
