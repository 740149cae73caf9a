/*
 * A batch that was told written is on disk, whatever the disk does before and
 * after; one that was told failed is not; and the next one has its chance.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/writer.h"

#include <errno.h>
#include <inttypes.h>
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

#include "server/store/database.h"
#include "tests/unit/faultvfs.h"
#include "tests/unit/storedir.h"

enum { BATCH_MAX = 3000 };

struct bench {
	struct storedir dir;
	struct writer *writer;
	struct arena *arena;
	struct err why;
	int64_t next_id;
	struct store_change changes[BATCH_MAX];
	char payload[64 * 1024];
};

static void
open_again(struct bench *b)
{
	sqlite3 *db;

	faultvfs.watch = true;
	if (database_open(b->dir.file, &db, &b->why) < 0)
		fail_msg("%s", b->why.text);
	faultvfs.watch = false;
	b->writer = writer_new(db, &b->why);
	assert_non_null(b->writer);
}

/* The file is made on a good disk; then the shim comes under it. */
static int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	sqlite3 *db;

	assert_non_null(b);
	storedir_make(&b->dir);
	b->arena = arena_new();
	b->next_id = 1;
	memset(b->payload, 'x', sizeof b->payload);
	assert_int_equal(database_open(b->dir.file, &db, &b->why), 0);
	sqlite3_close(db);
	faultvfs_begin();
	open_again(b);
	*state = b;
	return 0;
}

static int
tear_down(void **state)
{
	struct bench *b = *state;

	memset(&faultvfs, 0, sizeof faultvfs);
	writer_free(b->writer);
	faultvfs_end();
	arena_free(b->arena);
	storedir_remove(&b->dir);
	free(b);
	return 0;
}

static struct store_change *
link_changes(struct bench *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b->changes[i].next = i + 1 < n ? &b->changes[i + 1] : NULL;
	return b->changes;
}

static void
describe(struct bench *b, struct store_change *c, size_t len)
{
	memset(c, 0, sizeof *c);
	c->kind = STORE_ADD;
	c->result = 1;
	c->job = (struct store_job){
		.id = b->next_id,
		.state = JOB_QUEUED,
		.seq = b->next_id,
		.jid = "jid",
		.jobtype = "type",
		.queue = "default",
		.payload = b->payload,
		.payload_len = len,
	};
	b->next_id++;
}

/* Writes n new jobs; returns what the writer said. */
static int
add_jobs(struct bench *b, size_t n, size_t len)
{
	struct store_change *rest;

	assert_true(n <= BATCH_MAX);
	for (size_t i = 0; i < n; i++)
		describe(b, &b->changes[i], len);
	arena_clear(b->arena);
	return writer_write(
	    b->writer, link_changes(b, n), &rest, b->arena, &b->why);
}

static int64_t
jobs_on_disk(const struct bench *b)
{
	return storedir_ask(&b->dir, "SELECT count(*) FROM jobs");
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

static void
a_batch_ends_where_a_transaction_is_large_enough(void **state)
{
	struct bench *b = *state;
	static const struct {
		size_t count, len, written;
	} cases[] = {
		{ 1000, 10, 1000 },
		{ 2500, 10, 1000 },
		{ 200, 64 * 1024, 64 },
		{ 1, 10, 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct store_change *rest;
		int64_t before = jobs_on_disk(b);
		size_t n = cases[i].written;

		for (size_t j = 0; j < cases[i].count; j++)
			describe(b, &b->changes[j], cases[i].len);
		assert_int_equal(
		    writer_write(b->writer, link_changes(b, cases[i].count),
			&rest, b->arena, &b->why),
		    0);
		assert_ptr_equal(
		    rest, n < cases[i].count ? &b->changes[n] : NULL);
		assert_int_equal(jobs_on_disk(b) - before, n);
	}
}

/* What is read counts too: payloads are only known when they are there. */
static void
a_batch_that_reads_much_ends_early(void **state)
{
	struct bench *b = *state;
	struct store_change *rest;

	assert_int_equal(add_jobs(b, 64, 64 * 1024), 0);
	assert_int_equal(add_jobs(b, 36, 64 * 1024), 0);
	for (size_t i = 0; i < 100; i++) {
		memset(&b->changes[i], 0, sizeof b->changes[i]);
		b->changes[i].kind = STORE_READ;
		b->changes[i].job.id = (int64_t)i + 1;
	}
	arena_clear(b->arena);
	assert_int_equal(writer_write(b->writer, link_changes(b, 100), &rest,
			     b->arena, &b->why),
	    0);
	assert_ptr_equal(rest, &b->changes[64]);
	assert_int_equal(b->changes[63].taken.payload_len, 64 * 1024);
	assert_memory_equal(
	    b->changes[63].taken.payload, b->payload, 64 * 1024);
}

static void
a_change_that_does_not_fit_fails_alone(void **state)
{
	struct bench *b = *state;
	static const struct {
		enum store_kind kind;
		int64_t id;
		bool nameless;
		int want;
	} cases[] = {
		{ STORE_ADD, 2, false, 0 },
		{ STORE_REMOVE, 77, false, -ENOENT },
		{ STORE_MOVE, 77, false, -ENOENT },
		{ STORE_TAKE, 77, false, -ENOENT },
		{ STORE_READ, 77, false, -ENOENT },
		{ STORE_ADD, 1, false, -EEXIST },
		{ STORE_ADD, 9, true, -EINVAL },
		{ STORE_ADD, 3, false, 0 },
	};
	size_t n = sizeof cases / sizeof cases[0];
	struct store_change *rest;

	assert_int_equal(add_jobs(b, 1, 10), 0);
	for (size_t i = 0; i < n; i++) {
		describe(b, &b->changes[i], 10);
		b->changes[i].kind = cases[i].kind;
		b->changes[i].job.id = cases[i].id;
		if (cases[i].nameless)
			b->changes[i].job.jid = NULL;
	}
	assert_int_equal(writer_write(b->writer, link_changes(b, n), &rest,
			     b->arena, &b->why),
	    0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(b->changes[i].result, cases[i].want);
	assert_int_equal(
	    storedir_ask(&b->dir, "SELECT group_concat(id, '') FROM jobs"),
	    123);
}

static void
a_full_disk_fails_the_batch_and_not_the_next(void **state)
{
	struct bench *b = *state;

	assert_int_equal(add_jobs(b, 5, 300), 0);
	faultvfs.write = ENOSPC;
	assert_int_equal(add_jobs(b, 5, 300), -ENOSPC);
	assert_string_equal(
	    b->why.text, "not written to disk: database or disk is full");
	assert_int_equal(add_jobs(b, 2000, 300), -ENOSPC);
	faultvfs.write = 0;
	assert_int_equal(jobs_on_disk(b), 5);
	assert_int_equal(add_jobs(b, 7, 300), 0);
	assert_int_equal(jobs_on_disk(b), 12);
}

static void
a_full_quota_is_a_full_disk(void **state)
{
	struct bench *b = *state;

	faultvfs.write = EDQUOT;
	assert_int_equal(add_jobs(b, 1, 300), -ENOSPC);
	assert_string_equal(b->why.text,
	    "not written to disk: disk I/O error (Disk quota exceeded)");
	faultvfs.write = 0;
	assert_int_equal(add_jobs(b, 1, 300), 0);
}

static void
a_failed_sync_fails_the_batch_and_not_the_next(void **state)
{
	struct bench *b = *state;

	assert_int_equal(add_jobs(b, 5, 300), 0);
	for (int round = 0; round < 3; round++) {
		faultvfs.sync = EIO;
		assert_int_equal(add_jobs(b, 50, 300), -EIO);
		assert_string_equal(b->why.text,
		    "not written to disk: disk I/O error "
		    "(Input/output error)");
		assert_int_equal(add_jobs(b, 1, 300), -EIO);
		faultvfs.sync = 0;
		assert_int_equal(add_jobs(b, 1, 300), 0);
		assert_int_equal(jobs_on_disk(b), 6 + round);
	}
	writer_free(b->writer);
	open_again(b);
	assert_int_equal(jobs_on_disk(b), 8);
}

/* What a kill -9 leaves: the files as the system's cache has them. */
static int64_t
jobs_after_kill(struct bench *b)
{
	static const char *const names[] = { "", "-wal" };
	struct storedir copy;
	sqlite3 *db;

	storedir_make(&copy);
	for (size_t i = 0; i < 2; i++) {
		char command[1024];

		snprintf(command, sizeof command, "cp %s%s %s/", b->dir.file,
		    names[i], copy.path);
		assert_int_equal(system(command), 0);
	}
	assert_int_equal(database_open(copy.file, &db, &b->why), 0);
	sqlite3_close(db);
	int64_t n = storedir_ask(&copy, "SELECT count(*) FROM jobs");
	storedir_remove(&copy);
	return n;
}

static void
a_kill_after_a_failed_sync_does_not_bring_the_batch_back(void **state)
{
	struct bench *b = *state;

	assert_int_equal(add_jobs(b, 5, 300), 0);
	faultvfs.sync = EIO;
	assert_int_equal(add_jobs(b, 50, 300), -EIO);
	faultvfs.sync = 0;
	writer_checkpoint(b->writer);
	assert_int_equal(jobs_after_kill(b), 5);
}

static void
a_change_that_makes_no_sense_takes_its_batch_along(void **state)
{
	struct bench *b = *state;
	struct store_change *rest;

	for (size_t i = 0; i < 3; i++)
		describe(b, &b->changes[i], 10);
	b->changes[1].kind = (enum store_kind)99;
	assert_int_equal(writer_write(b->writer, link_changes(b, 3), &rest,
			     b->arena, &b->why),
	    -EIO);
	assert_null(rest);
	assert_int_equal(add_jobs(b, 1, 10), 0);
	assert_int_equal(jobs_on_disk(b), 1);
}

/*
 * The dangerous order: a sync fails and what it should have written is gone,
 * though the system's cache still shows it; the next sync succeeds.
 */
static void
a_power_cut_after_failed_syncs_loses_nothing_told(void **state)
{
	struct bench *b = *state;
	static const struct {
		size_t before, failed, after;
		bool reader; /* one that keeps the log from being emptied */
	} cases[] = {
		{ 5, 1, 1, false },
		{ 5, 200, 1, false },
		{ 5, 1, 200, false },
		{ 0, 900, 3, false },
		{ 5, 200, 1, true },
		{ 5, 1, 200, true },
	};
	size_t told = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct storedir cut;
		sqlite3 *reader = NULL, *db;

		if (cases[i].before > 0)
			assert_int_equal(add_jobs(b, cases[i].before, 300), 0);
		if (cases[i].reader) {
			assert_int_equal(sqlite3_open_v2(b->dir.file, &reader,
					     SQLITE_OPEN_READONLY, "unix"),
			    0);
			assert_int_equal(sqlite3_exec(reader,
					     "BEGIN; SELECT count(*) FROM jobs",
					     NULL, NULL, NULL),
			    0);
		}
		faultvfs.sync = EIO;
		assert_int_equal(add_jobs(b, cases[i].failed, 300), -EIO);
		faultvfs.sync = 0;
		assert_int_equal(add_jobs(b, cases[i].after, 300), 0);
		told += cases[i].before + cases[i].after;

		storedir_make(&cut);
		faultvfs_power_cut(cut.path);
		assert_int_equal(database_open(cut.file, &db, &b->why), 0);
		sqlite3_close(db);
		assert_int_equal(
		    storedir_ask(&cut, "SELECT count(*) FROM jobs"), told);
		storedir_remove(&cut);
		sqlite3_close(reader);
	}
}

static void
a_power_cut_at_any_time_loses_nothing_told(void **state)
{
	struct bench *b = *state;
	size_t told = 0;

	/* Long enough for checkpoints, one of which fails to sync. */
	for (int i = 0; i < 60; i++) {
		struct storedir cut;
		sqlite3 *db;

		assert_int_equal(add_jobs(b, 100, 4000), 0);
		told += 100;
		faultvfs.sync = i % 20 == 7 ? EIO : 0;
		writer_checkpoint(b->writer);
		faultvfs.sync = 0;
		if (i % 10 != 9)
			continue;
		storedir_make(&cut);
		faultvfs_power_cut(cut.path);
		assert_int_equal(database_open(cut.file, &db, &b->why), 0);
		sqlite3_close(db);
		assert_int_equal(
		    storedir_ask(&cut, "SELECT count(*) FROM jobs"), told);
		storedir_remove(&cut);
	}
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
	assert_int_equal(add_jobs(b, 1000, 4000), 0);
	assert_int_equal(log_size(b), size);
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
#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ON_BENCH(told_means_synced),
		ON_BENCH(a_commit_is_one_write),
		ON_BENCH(half_a_commit_is_none),
		ON_BENCH(a_batch_ends_where_a_transaction_is_large_enough),
		ON_BENCH(a_batch_that_reads_much_ends_early),
		ON_BENCH(a_change_that_does_not_fit_fails_alone),
		ON_BENCH(a_full_disk_fails_the_batch_and_not_the_next),
		ON_BENCH(a_full_quota_is_a_full_disk),
		ON_BENCH(a_failed_sync_fails_the_batch_and_not_the_next),
		ON_BENCH(
		    a_kill_after_a_failed_sync_does_not_bring_the_batch_back),
		ON_BENCH(a_change_that_makes_no_sense_takes_its_batch_along),
		ON_BENCH(a_power_cut_after_failed_syncs_loses_nothing_told),
		ON_BENCH(a_power_cut_at_any_time_loses_nothing_told),
		ON_BENCH(a_long_log_is_written_back),
		ON_BENCH(a_reader_that_stays_stops_nobody),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
