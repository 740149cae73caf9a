/*
 * What a FLUSH has taken from the disk does not come back in memory, whatever
 * becomes of the moves behind it; what is pushed behind it stays. And jobs go
 * into queues each with a seq of its own.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/jobs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "server/op.h"

/* ---- a disk that keeps what it is given until it is told what of it -------- */

enum { GIVEN_MAX = 64, IDS = 64 };

static struct store_change *given[GIVEN_MAX];
static size_t ngiven;
static bool on_disk[IDS]; /* rows, by id */
static bool named;        /* the one queue */

void
store_add(struct store *s, struct store_change *c)
{
	(void)s;
	assert_true(ngiven < GIVEN_MAX);
	given[ngiven++] = c;
}

bool
store_is_open(const struct store *s)
{
	(void)s;
	return ngiven > 0;
}

size_t
store_pending(const struct store *s)
{
	(void)s;
	return ngiven;
}

static int
carry_out(struct store_change *c)
{
	int64_t id = c->job.id;

	assert_in_range(id, 0, IDS - 1);
	switch (c->kind) {
	case STORE_ADD:
		on_disk[id] = true;
		return 0;
	case STORE_MOVE:
	case STORE_READ:
	case STORE_TAKE:
		c->taken.payload = "{}";
		c->taken.payload_len = 2;
		return on_disk[id] ? 0 : -ENOENT;
	case STORE_REMOVE:
		if (!on_disk[id])
			return -ENOENT;
		on_disk[id] = false;
		return 0;
	case STORE_CLEAR:
		memset(on_disk, 0, sizeof on_disk);
		named = false;
		return 0;
	case STORE_NAME:
		named = true;
		return 0;
	default:
		return 0;
	}
}

/* The first n that were given: one batch, written or refused. */
static void
disk_answers(size_t n, int batch)
{
	struct store_change *now[GIVEN_MAX];
	int results[GIVEN_MAX];

	assert_true(n <= ngiven);
	memcpy(now, given, n * sizeof *now);
	ngiven -= n;
	for (size_t i = 0; i < ngiven; i++)
		given[i] = given[i + n];
	for (size_t i = 0; i < n; i++)
		results[i] = batch < 0 ? batch : carry_out(now[i]);
	for (size_t i = 0; i < n; i++) {
		const struct err why = { .code = -results[i] };

		if (now[i]->done != NULL)
			now[i]->done(now[i], results[i], &why);
	}
}

/* ---- jobs on it -------------------------------------------------------------- */

static struct ev_loop *loop;
static struct queues *queues;
static struct counters *counters;
static struct jobs *jobs;
static struct queue *queue;
static int last; /* what the last done call was told */

static void
on_queued(void *ctx, struct queue *q)
{
	(void)ctx;
	(void)q;
}

static bool
nobody_waits(void *ctx, struct queue *q, struct jobs_waiter *w)
{
	(void)ctx;
	(void)q;
	(void)w;
	return false;
}

static void
on_trouble(void *ctx, const char *jid, const char *what)
{
	(void)ctx;
	(void)jid;
	(void)what;
}

static enum jobs_presence
hears(void *ctx, const char *wid)
{
	(void)ctx;
	(void)wid;
	return PRESENCE_HEARS;
}

static void
on_done(void *ctx, int result, const struct err *why)
{
	(void)ctx;
	(void)why;
	last = result;
}

static void
on_taken(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	(void)d;
	on_done(ctx, result, why);
	(void)e;
}

static void
on_cancelled(void *ctx, int result, const struct err *why,
    const struct jobs_cancelled *done)
{
	(void)done;
	on_done(ctx, result, why);
}

static int
begin(void **state)
{
	static const struct jobs_hooks hooks = {
		.queued = on_queued,
		.awaited = nobody_waits,
		.trouble = on_trouble,
		.presence = hears,
	};
	static const struct jobs_options options = { 0 };

	(void)state;
	loop = ev_loop_new(EVFLAG_AUTO);
	queues = queues_new();
	counters = counters_new();
	jobs = jobs_new(loop, queues, counters, &hooks, &options);
	jobs_start(jobs, NULL); /* which it only hands on */
	ngiven = 0;
	named = false;
	memset(on_disk, 0, sizeof on_disk);
	queue = queues_get(queues, "default", 7);
	return queue == NULL;
}

static int
end(void **state)
{
	(void)state;
	jobs_free(jobs);
	counters_free(counters);
	queues_free(queues);
	ev_loop_destroy(loop);
	return 0;
}

/* Given to the disk: one that waits, or that is scheduled for long after. */
static void
push(const char *jid, bool later)
{
	char text[200];
	struct job job;
	struct err e = { 0 };

	snprintf(text, sizeof text,
	    "{\"jid\":\"%s\",\"jobtype\":\"t\",\"args\":[]%s}", jid,
	    later ? ",\"at\":\"2199-01-01T00:00:00Z\"" : "");
	assert_int_equal(job_parse(text, strlen(text), &job, &e), 0);
	assert_int_equal(jobs_push(jobs, &job, on_done, NULL), 0);
	job_clear(&job);
}

static void
flush(void)
{
	assert_int_equal(jobs_flush(jobs, on_done, NULL), 0);
}

static size_t
in_memory(void)
{
	size_t n = queues_jobs(queues) + jobs_reserved(jobs);

	for (int i = 0; i < JOBS_SETS; i++)
		n += jobs_in_set(jobs, (enum jobs_set)i);
	return n;
}

static size_t
rows(void)
{
	size_t n = 0;

	for (int i = 0; i < IDS; i++)
		n += on_disk[i];
	return n;
}

/* ---- moves behind a FLUSH ------------------------------------------------------ */

static void
take_it(void)
{
	assert_int_equal(jobs_take(jobs, queue, "w", on_taken, NULL), 0);
}

static const struct jobs_claim claim = {
	.jid = "abcdefgh",
	.jid_len = 8,
	.wid = "w",
};

static void
settle_it(bool ack)
{
	static char errtype[] = "E", message[] = "m";
	const struct fail_report report = { .errtype = errtype,
		.message = message };
	const struct json none = { 0 };

	assert_int_equal(ack ? jobs_ack(jobs, &claim, &none, on_done, NULL)
			     : jobs_fail(jobs, &claim, &report, on_done, NULL),
	    0);
}

static void
ack_it(void)
{
	settle_it(true);
}

static void
fail_it(void)
{
	settle_it(false);
}

static void
give_it_back(void)
{
	assert_int_equal(jobs_release(jobs, &claim, on_done, NULL), 0);
}

/* Its worker has been away for too long. */
static void
outlive_it(void)
{
	struct reservation *r = reservations_of(jobs->reservations, "w");

	assert_non_null(r);
	assert_int_equal(jobs_outlive(jobs, r), 0);
}

static void
cancel_it(void)
{
	assert_int_equal(
	    jobs_cancel(jobs, "abcdefgh", 8, on_cancelled, NULL), 0);
}

static void
move_it(enum jobs_move what)
{
	struct jobs_list list;

	assert_int_equal(jobs_empty_set(jobs, SET_SCHEDULED, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(jobs_move(jobs, list.at[0], what, on_done, NULL), 0);
	free(list.at);
}

static void
requeue_it(void)
{
	move_it(MOVE_REQUEUE);
}

static void
kill_it(void)
{
	move_it(MOVE_KILL);
}

/*
 * The move is sent while the FLUSH is on its way, in a later batch, which the
 * disk refuses: the job was gone before, and there is nothing to go back to.
 */
static void
a_move_that_is_refused_behind_a_flush_brings_nothing_back(void **state)
{
	enum { WAITS, IS_HELD, IS_LOST, IS_SCHEDULED };
	static const struct {
		int where;
		void (*move)(void);
	} cases[] = {
		{ WAITS, take_it },
		{ WAITS, cancel_it },
		{ IS_HELD, ack_it },
		{ IS_HELD, fail_it },
		{ IS_HELD, give_it_back },
		{ IS_HELD, outlive_it },
		{ IS_LOST, ack_it },
		{ IS_LOST, fail_it },
		{ IS_LOST, take_it },
		{ IS_LOST, cancel_it },
		{ IS_SCHEDULED, requeue_it },
		{ IS_SCHEDULED, kill_it },
		{ IS_SCHEDULED, cancel_it },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin(state);
		push("abcdefgh", cases[i].where == IS_SCHEDULED);
		disk_answers(ngiven, 0);
		if (cases[i].where == IS_HELD || cases[i].where == IS_LOST) {
			take_it();
			disk_answers(ngiven, 0);
		}
		if (cases[i].where == IS_LOST) {
			outlive_it();
			disk_answers(ngiven, 0);
		}
		assert_int_equal(in_memory(), 1);
		flush();
		cases[i].move();
		disk_answers(1, 0);
		disk_answers(ngiven, -ENOSPC);
		assert_int_equal(rows(), 0);
		assert_int_equal(in_memory(), 0);
		end(state);
	}
}

/*
 * A worker's word about a job that it has lost: when the disk refuses it, the job
 * is where it was, in front of what came later, and the same word settles it when
 * it is said again. Said twice at once, both hear of one end.
 */
static void
a_late_word_that_is_refused_is_undone(void **state)
{
	void (*const words[])(void) = { ack_it, fail_it };

	for (size_t i = 0; i < 2; i++) {
		begin(state);
		push("abcdefgh", false);
		disk_answers(ngiven, 0);
		take_it();
		push("abcdefg2", false);
		disk_answers(ngiven, 0);
		outlive_it();
		disk_answers(ngiven, 0);
		for (int turn = 0; turn < 2; turn++) {
			assert_string_equal(queue->head->jid, "abcdefgh");
			words[i]();
			assert_string_equal(queue->head->jid, "abcdefg2");
			assert_int_equal(ngiven, 1);
			disk_answers(ngiven, -ENOSPC);
			assert_int_equal(last, -ENOSPC);
			assert_int_equal(queue->count, 2);
			assert_int_equal(jobs_reserved(jobs), 0);
		}
		words[i]();
		words[i]();
		assert_int_equal(ngiven, 1);
		last = 1;
		disk_answers(ngiven, 0);
		assert_int_equal(last, -EALREADY);
		assert_int_equal(queue->count, 1);
		assert_int_equal(rows(), 1 + i);
		assert_int_equal(jobs_reserved(jobs), 0);
		end(state);
	}
}

/*
 * A word that comes while the job is on its way back to its queue is neither
 * believed to have done something nor lost: it is to be said again.
 */
static void
a_word_while_the_job_goes_back_is_to_be_repeated(void **state)
{
	const struct json none = { 0 };

	(void)state;
	push("abcdefgh", false);
	disk_answers(ngiven, 0);
	take_it();
	disk_answers(ngiven, 0);
	outlive_it();
	assert_int_equal(jobs_ack(jobs, &claim, &none, on_done, NULL), -EBUSY);
	disk_answers(ngiven, -ENOSPC);
	outlive_it();
	disk_answers(ngiven, 0);
	assert_int_equal(queue->count, 1);
	ack_it();
	disk_answers(ngiven, 0);
	assert_int_equal(rows(), 0);
	assert_int_equal(in_memory(), 0);
}

/* The same when both are refused: then it is still there. */
static void
a_move_that_is_refused_with_the_flush_is_undone(void **state)
{
	(void)state;
	push("abcdefgh", false);
	disk_answers(ngiven, 0);
	flush();
	take_it();
	disk_answers(ngiven, -ENOSPC);
	assert_int_equal(rows(), 1);
	assert_int_equal(in_memory(), 1);
	assert_true(queue->known);
}

/*
 * A set that was taken in hand and is gone through in pieces: what a FLUSH
 * took meanwhile is neither put back nor moved, nor is its queue named again.
 */
static void
what_was_in_hand_when_a_flush_came_is_not_put_back(void **state)
{
	struct jobs_list list;

	(void)state;
	push("abcdefg1", true);
	push("abcdefg2", true);
	push("abcdefg3", true);
	disk_answers(ngiven, 0);
	assert_int_equal(jobs_empty_set(jobs, SET_SCHEDULED, &list), 0);
	assert_int_equal(list.count, 3);
	flush();
	disk_answers(ngiven, 0);
	assert_int_equal(last, 0);
	assert_int_equal(
	    jobs_move(jobs, list.at[0], MOVE_REQUEUE, on_done, NULL), -ENOENT);
	assert_int_equal(jobs_read(jobs, list.at[1], NULL, NULL), -ENOENT);
	assert_int_equal(ngiven, 0);
	for (size_t i = 0; i < list.count; i++)
		jobs_put_back(jobs, list.at[i]);
	free(list.at);
	assert_int_equal(in_memory(), 0);
	assert_false(queue->known);
}

/* What follows a FLUSH at once, in its batch, is there, and its queue too. */
static void
what_is_pushed_behind_a_flush_stays(void **state)
{
	(void)state;
	push("abcdefg1", false);
	disk_answers(ngiven, 0);
	assert_true(queue->known);
	assert_true(named);
	flush();
	push("abcdefg2", false);
	push("abcdefg3", true);
	disk_answers(ngiven, 0);
	assert_int_equal(rows(), 2);
	assert_int_equal(in_memory(), 2);
	assert_true(queue->known);
	assert_true(named);

	/* It can be moved as any other. */
	take_it();
	disk_answers(ngiven, -ENOSPC);
	assert_int_equal(queue->count, 1);
	take_it();
	disk_answers(ngiven, 0);
	assert_int_equal(jobs_reserved(jobs), 1);
}

/*
 * A queue's line is quick at its ends; among many of one seq it would be walked
 * through. There are none: each seq is given out once, with the job or when it
 * is put into its queue anew, and what is given back has its own.
 */
static void
no_two_jobs_of_a_queue_have_one_seq(void **state)
{
	struct jobs_list list;
	const struct entry *e;
	int64_t last_seq = 0;
	size_t n = 0;

	(void)state;
	push("abcdefgh", false);
	push("abcdefg1", true);
	push("abcdefg2", true);
	push("abcdefg3", false);
	disk_answers(ngiven, 0);
	take_it();
	disk_answers(ngiven, 0);
	assert_int_equal(jobs_empty_set(jobs, SET_SCHEDULED, &list), 0);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(
		    jobs_move(jobs, list.at[i], MOVE_REQUEUE, on_done, NULL),
		    0);
	free(list.at);
	push("abcdefg4", false);
	disk_answers(ngiven, 0);
	give_it_back();
	disk_answers(ngiven, 0);
	for (e = queue->head; e != NULL; e = e->line.next, n++) {
		assert_true(e->seq > last_seq);
		last_seq = e->seq;
	}
	assert_int_equal(n, 5);
	assert_string_equal(queue->head->jid, "abcdefgh");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_move_that_is_refused_behind_a_flush_brings_nothing_back),
		cmocka_unit_test(a_late_word_that_is_refused_is_undone),
		cmocka_unit_test_setup_teardown(
		    a_word_while_the_job_goes_back_is_to_be_repeated, begin,
		    end),
		cmocka_unit_test_setup_teardown(
		    a_move_that_is_refused_with_the_flush_is_undone, begin,
		    end),
		cmocka_unit_test_setup_teardown(
		    what_was_in_hand_when_a_flush_came_is_not_put_back, begin,
		    end),
		cmocka_unit_test_setup_teardown(
		    what_is_pushed_behind_a_flush_stays, begin, end),
		cmocka_unit_test_setup_teardown(
		    no_two_jobs_of_a_queue_have_one_seq, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
