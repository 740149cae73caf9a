/*
 * Time goes forward by itself, and stands still when a test says so.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void
the_monotonic_clock_never_goes_back(void **state)
{
	int64_t before = clock_mono();
	int64_t first = before;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t now = clock_mono();

		assert_true(now >= before);
		before = now;
	}
	assert_true(before > first);
}

static void
the_wall_clock_counts_from_1970(void **state)
{
	int64_t low = (int64_t)time(NULL) - 1;
	int64_t now = clock_wall() / CLOCK_NS_PER_S;

	(void)state;
	assert_true(now >= low && now <= (int64_t)time(NULL) + 1);
}

static void
frozen_clocks_stand_still_until_released(void **state)
{
	(void)state;
	clock_freeze(5, -7);
	assert_int_equal(clock_wall(), 5);
	assert_int_equal(clock_mono(), -7);
	assert_int_equal(clock_wall(), 5);
	clock_release();
	assert_true(clock_wall() > CLOCK_NS_PER_S);
	assert_true(clock_mono() > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
		cmocka_unit_test(the_wall_clock_counts_from_1970),
		cmocka_unit_test(frozen_clocks_stand_still_until_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
