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
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/jobs_sample.h"

static void
give_it_back(void)
{
	assert_int_equal(jobs_release(jobs, &claim, on_done, NULL), 0);
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
