/*
 * A worker's word about a job that it has lost settles it as long as nobody
 * else has taken it: once, undone when the disk refuses, and to be repeated
 * while the job is on its way back.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/jobs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/jobs_sample.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_word_that_is_refused_is_undone),
		cmocka_unit_test_setup_teardown(
		    a_word_while_the_job_goes_back_is_to_be_repeated, begin,
		    end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
