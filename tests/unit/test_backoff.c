/*
 * Retries wait as long as on every Faktory server: count^4 + 15 + r(count+1).
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
the_wait_lies_within_the_known_bounds_and_varies(void **state)
{
	static const struct {
		int64_t count, least, most;
	} cases[] = {
		{ 0, 15, 44 },
		{ 1, 16, 74 },
		{ 2, 31, 118 },
		{ 5, 640, 814 },
		{ 24, 331791, 332516 },
		{ -3, 15, 44 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t low = INT64_MAX, high = 0;

		for (int n = 0; n < 2000; n++) {
			int64_t s = backoff_seconds(cases[i].count);

			assert_in_range(s, cases[i].least, cases[i].most);
			low = s < low ? s : low;
			high = s > high ? s : high;
		}
		/* 2000 throws of 30 sides miss one end once in 10^29 times. */
		assert_int_equal(low, cases[i].least);
		assert_int_equal(high, cases[i].most);
	}
	assert_true(backoff_seconds(INT64_MAX) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_wait_lies_within_the_known_bounds_and_varies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
