/*
 * A lane goes with its jobtype from one generation to the next, and stays for
 * the jobs that are in it when its jobtype is gone.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/settings_file.h"

static struct generation *
generation(const char *text)
{
	struct err e;
	struct generation *g = generation_new(good(text), lookup, &e);

	assert_non_null(g);
	return g;
}

static struct lane *
find(const struct lanes *l, const char *jobtype)
{
	return lanes_find(l,
	    settings_handler(
		l->generation->settings, jobtype, strlen(jobtype)));
}

static void
a_limit_counts_what_older_generations_started(void **state)
{
	struct lanes l = { 0 };
	struct generation *one = generation(
	    "jobs: {x: {exec: [/bin/true]}, a: {exec: [/bin/true]}}\n");
	struct generation *two =
	    generation("jobs: {a: {exec: [/bin/true], concurrency: 2}}\n");

	(void)state;
	assert_int_equal(lanes_take(&l, one), 0);
	struct lane *a = find(&l, "a");
	a->running = 2;
	assert_false(lane_is_full(a));
	assert_int_equal(lanes_take(&l, two), 0);
	assert_ptr_equal(find(&l, "a"), a);
	assert_true(lane_is_full(a));
	assert_ptr_equal(a->output.how, &two->settings->handlers[0]);
	assert_int_equal(one->holders, 1);
	a->running = 0;
	generation_drop(one);
	generation_drop(two);
	lanes_clear(&l);
}

static void
a_lane_without_its_jobtype_goes_with_its_last_job(void **state)
{
	struct lanes l = { 0 };
	struct generation *one = generation(
	    "jobs: {a: {exec: [/bin/true]}, b: {exec: [/bin/true]}}\n");
	struct generation *two = generation("jobs: {b: {exec: [/bin/true]}}\n");
	struct generation *three =
	    generation("jobs: {a: {exec: [/bin/true]}}\n");

	(void)state;
	assert_int_equal(lanes_take(&l, one), 0);
	struct lane *a = find(&l, "a");
	a->running = 1;
	assert_int_equal(lanes_take(&l, two), 0);
	assert_true(a->closed);
	lane_settle(a); /* it has a job: it stays, and so do its settings */
	assert_int_equal(one->holders, 2);
	assert_int_equal(lanes_take(&l, three), 0);
	assert_ptr_not_equal(find(&l, "a"), a);
	a->running = 0;
	lane_settle(a);
	assert_int_equal(one->holders, 1);
	generation_drop(one);
	generation_drop(two);
	generation_drop(three);
	lanes_clear(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_counts_what_older_generations_started),
		cmocka_unit_test(
		    a_lane_without_its_jobtype_goes_with_its_last_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
