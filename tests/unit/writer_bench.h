/*
 * writer_bench - a writer over a disk that fails when it is told to.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_WRITER_BENCH_H
#define TESTS_UNIT_WRITER_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/database.h"
#include "server/store/writer.h"
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

/* What a kill -9 leaves: the files as the system's cache has them. */
__attribute__((unused)) static int64_t
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

/* What a power cut would leave now, opened again. */
__attribute__((unused)) static int64_t
jobs_after_power_cut(struct bench *b)
{
	struct storedir cut;
	sqlite3 *db;

	storedir_make(&cut);
	faultvfs_power_cut(cut.path);
	assert_int_equal(database_open(cut.file, &db, &b->why), 0);
	sqlite3_close(db);
	int64_t n = storedir_ask(&cut, "SELECT count(*) FROM jobs");
	storedir_remove(&cut);
	return n;
}

#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
