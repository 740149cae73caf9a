/*
 * What is told has been written; what could not be is taken back.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct counters *cs;

static int
begin(void **state)
{
	(void)state;
	cs = counters_new();
	counters_load(cs, "processed", 5);
	return cs == NULL;
}

static int
end(void **state)
{
	(void)state;
	counters_free(cs);
	return 0;
}

static void
nothing_is_told_before_it_is_written(void **state)
{
	(void)state;
	counters_begin(cs, COUNT_PROCESSED);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 5);
	counters_begin(cs, COUNT_PROCESSED);
	counters_end(cs, COUNT_PROCESSED, true);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 6);
	counters_end(cs, COUNT_PROCESSED, true);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 7);
	assert_int_equal(counters_total(cs, COUNT_FAILURES), 0);
}

static void
what_was_not_written_has_not_been(void **state)
{
	(void)state;
	counters_begin(cs, COUNT_PROCESSED);
	counters_begin(cs, COUNT_FAILURES);
	counters_end(cs, COUNT_PROCESSED, false);
	counters_end(cs, COUNT_FAILURES, false);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 5);
	assert_int_equal(counters_total(cs, COUNT_FAILURES), 0);
}

static void
what_a_flush_overtakes_leaves_zero(void **state)
{
	(void)state;
	counters_begin(cs, COUNT_PROCESSED);
	counters_clear(cs);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 0);
	counters_end(cs, COUNT_PROCESSED, false);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    nothing_is_told_before_it_is_written, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_was_not_written_has_not_been, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_a_flush_overtakes_leaves_zero, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
