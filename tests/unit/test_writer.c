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

#include "tests/unit/writer_bench.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
