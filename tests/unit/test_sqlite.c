/*
 * What each kind of change writes, and nothing else, is there when the store
 * is opened again; a store that is not to be opened is refused.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/storebench.h"

static void
jobs_come_back_in_the_order_of_id(void **state)
{
	struct bench *b = *state;
	struct store_change c[] = {
		new_job(b, 4, 50),
		new_job(b, 2, 20),
		new_job(b, 3, 60),
		new_job(b, 1, 10),
		new_job(b, 5, 20),
	};

	put(b, c, 5);
	reopen(b);
	assert_int_equal(b->nids, 5);
	static const int64_t want[] = { 1, 2, 3, 4, 5 };
	assert_memory_equal(b->ids, want, sizeof want);
}

static void
everything_of_a_job_comes_back(void **state)
{
	struct bench *b = *state;
	struct store_change c = new_job(b, 3, 4);

	c.job.state = JOB_RETRY;
	c.job.due = 5;
	c.job.reserved_at = 6;
	c.job.retry_count = 2;
	c.job.wid = "w";
	c.job.failed_at = "2026-01-01T00:00:00Z";
	put_one(b, c);
	put_one(b, new_job(b, 4, 5));
	reopen(b);
	assert_string_equal(b->seen,
	    "job 3 4 4 5 7 6 25 1800 2 jid type default w "
	    "2026-01-01T00:00:00Z\n"
	    "job 4 1 5 0 7 0 25 1800 -1 jid type default - -\n");
}

static void
a_move_changes_its_place_and_nothing_else(void **state)
{
	struct bench *b = *state;
	struct store_change c = on_job(b, STORE_MOVE, 1);

	put_one(b, new_job(b, 1, 1));
	c.job.state = JOB_SCHEDULED;
	c.job.seq = 9;
	c.job.due = 8;
	c.job.enqueued_at = -1;
	c.job.retry_count = 77; /* not to be written */
	put_one(b, c);
	reopen(b);
	assert_string_equal(
	    b->seen, "job 1 3 9 8 7 0 25 1800 -1 jid type default - -\n");
	put_one(b, on_job(b, STORE_READ, 1));
	assert_string_equal(b->taken, "12 {\"args\":[1]} 0 - 7");
}

static void
a_move_with_its_failure_writes_that_too(void **state)
{
	struct bench *b = *state;
	struct store_change c = on_job(b, STORE_MOVE, 1);

	put_one(b, new_job(b, 1, 1));
	c.set_failure = true;
	c.job.state = JOB_DEAD;
	c.job.enqueued_at = 0;
	c.job.retry_count = 3;
	c.job.failed_at = "then";
	c.job.failure = "{\"message\":\"m\"}";
	c.job.failure_len = 15;
	put_one(b, c);
	reopen(b);
	assert_string_equal(
	    b->seen, "job 1 5 0 0 0 0 25 1800 3 jid type default - then\n");
	put_one(b, on_job(b, STORE_READ, 1));
	assert_string_equal(
	    b->taken, "12 {\"args\":[1]} 15 {\"message\":\"m\"} 0");

	/* A move without one keeps it; one with a payload changes that. */
	c.set_failure = false;
	c.job.payload = "{}";
	c.job.payload_len = 2;
	put_one(b, c);
	put_one(b, on_job(b, STORE_READ, 1));
	assert_string_equal(b->taken, "2 {} 15 {\"message\":\"m\"} 0");
}

static void
a_take_moves_and_reads(void **state)
{
	struct bench *b = *state;
	struct store_change c = on_job(b, STORE_TAKE, 1);

	put_one(b, new_job(b, 1, 1));
	c.job.state = JOB_RESERVED;
	c.job.seq = 1;
	c.job.due = 99;
	c.job.enqueued_at = -1;
	c.job.reserved_at = 98;
	c.job.wid = "worker";
	put_one(b, c);
	assert_string_equal(b->taken, "12 {\"args\":[1]} 0 - 7");
	reopen(b);
	assert_string_equal(b->seen,
	    "job 1 2 1 99 7 98 25 1800 -1 jid type default worker -\n");
}

static void
what_is_not_there_is_told_to_that_change_alone(void **state)
{
	struct bench *b = *state;
	struct store_change c[] = {
		new_job(b, 1, 1),
		on_job(b, STORE_REMOVE, 1),
		on_job(b, STORE_REMOVE, 1),
		new_job(b, 2, 2),
		new_job(b, 2, 3),
	};

	put(b, c, 5);
	assert_string_equal(b->heard, "1:0 1:0 1:-2 2:0 2:-17 ");
	assert_string_equal(b->last_why, "there is a job 2");
	put_one(b, on_job(b, STORE_TAKE, 5));
	assert_string_equal(b->last_why, "there is no job 5");
	reopen(b);
	assert_int_equal(b->nids, 1);
}

static struct store_change
on_note(enum store_kind kind, enum store_note note, const char *wid,
    const char *jid, int64_t value)
{
	return (struct store_change){ .kind = kind,
		.note = note,
		.name = wid,
		.job.jid = jid,
		.value = value };
}

static void
names_and_counters_come_back_and_clear_forgets_all(void **state)
{
	struct bench *b = *state;
	struct store_change c[] = {
		{ .kind = STORE_PAUSE, .name = "a", .value = 1 },
		{ .kind = STORE_NAME, .name = "a" },
		{ .kind = STORE_NAME, .name = "b" },
		{ .kind = STORE_NAME, .name = "c" },
		{ .kind = STORE_PAUSE, .name = "b", .value = 1 },
		{ .kind = STORE_PAUSE, .name = "d", .value = 1 },
		{ .kind = STORE_PAUSE, .name = "d" },
		{ .kind = STORE_UNNAME, .name = "c" },
		{ .kind = STORE_UNNAME, .name = "never" },
		{ .kind = STORE_COUNT, .name = "processed", .value = 1 },
		{ .kind = STORE_COUNT,
		    .name = "processed",
		    .value = INT64_MAX },
		on_note(STORE_NOTE, NOTE_LOST, "w", "b", 5),
		on_note(STORE_NOTE, NOTE_LOST, "w", "a", 6),
		on_note(STORE_NOTE, NOTE_CANCEL, "w", "a", 7),
		on_note(STORE_NOTE, NOTE_LOST, "w", "b", 8),
		on_note(STORE_UNNOTE, NOTE_LOST, "w", "a", 0),
		on_note(STORE_UNNOTE, NOTE_LOST, "other", "b", 0),
	};

	put(b, c, sizeof c / sizeof c[0]);
	put_one(b, new_job(b, 1, 1));
	reopen(b);
	assert_string_equal(b->seen,
	    "queue a 1\nqueue b 1\nqueue d 0\n"
	    "counter processed 9223372036854775807\n"
	    "job 1 1 1 0 7 0 25 1800 -1 jid type default - -\n"
	    "note 2 w a 7\nnote 3 w b 8\n");
	put_one(b, (struct store_change){ .kind = STORE_CLEAR });
	reopen(b);
	assert_string_equal(b->seen, "");
}

static void
an_emptied_queue_loses_what_waits_in_it(void **state)
{
	struct bench *b = *state;
	struct store_change other = new_job(b, 3, 3);
	struct store_change reserved = new_job(b, 4, 4);

	put_one(b, new_job(b, 1, 1));
	put_one(b, new_job(b, 2, 2));
	other.job.queue = "other";
	put_one(b, other);
	reserved.job.state = JOB_RESERVED;
	put_one(b, reserved);
	put_one(
	    b, (struct store_change){ .kind = STORE_EMPTY, .name = "default" });
	put_one(
	    b, (struct store_change){ .kind = STORE_EMPTY, .name = "never" });
	reopen(b);
	assert_null(strstr(b->seen, "job 1 "));
	assert_null(strstr(b->seen, "job 2 "));
	assert_non_null(strstr(b->seen, "job 3 1 "));
	assert_non_null(strstr(b->seen, "job 4 2 "));
}

static void
a_payload_keeps_its_bytes(void **state)
{
	struct bench *b = *state;
	static const char bytes[] = "{\"n\":9007199254740993,\"f\":1.0,"
				    "\"s\":\"\\u00e9\xc3\xa9 \\\"\"}";
	struct store_change c = new_job(b, 1, 1);
	char want[256];

	c.job.payload = bytes;
	c.job.payload_len = sizeof bytes - 1;
	c.job.jid = "' OR 1=1; --";
	put_one(b, c);
	put_one(b, on_job(b, STORE_READ, 1));
	snprintf(want, sizeof want, "%zu %s 0 - 7", sizeof bytes - 1, bytes);
	assert_string_equal(b->taken, want);
	reopen(b);
	assert_non_null(strstr(b->seen, " ' OR 1=1; -- "));
}

static void
a_second_server_is_refused(void **state)
{
	struct bench *b = *state;
	struct err e = { 0 };

	assert_null(try_open(b, &e));
	assert_int_equal(e.code, EBUSY);
	put_one(b, new_job(b, 1, 1));
	assert_int_equal(b->last_result, 0);
}

static void
a_visitor_that_refuses_ends_the_opening(void **state)
{
	struct bench *b = *state;
	struct err e = { 0 };
	char want[512];

	put_one(b, new_job(b, 6, 1));
	close_store(b);
	b->refuse = -EINVAL;
	assert_null(try_open(b, &e));
	assert_int_equal(e.code, EINVAL);
	snprintf(want, sizeof want, "%s: job 6: Invalid argument", b->dir.file);
	assert_string_equal(e.text, want);
	b->refuse = 0;
	open_store(b);
}

int
main(void)
{
#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ON_BENCH(jobs_come_back_in_the_order_of_id),
		ON_BENCH(everything_of_a_job_comes_back),
		ON_BENCH(a_move_changes_its_place_and_nothing_else),
		ON_BENCH(a_move_with_its_failure_writes_that_too),
		ON_BENCH(a_take_moves_and_reads),
		ON_BENCH(what_is_not_there_is_told_to_that_change_alone),
		ON_BENCH(names_and_counters_come_back_and_clear_forgets_all),
		ON_BENCH(an_emptied_queue_loses_what_waits_in_it),
		ON_BENCH(a_payload_keeps_its_bytes),
		ON_BENCH(a_second_server_is_refused),
		ON_BENCH(a_visitor_that_refuses_ends_the_opening),
	};

	return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
