/*
 * Waits grow to their ceiling and no further, and never two workers alike.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/holdoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
waits_double_up_to_the_ceiling(void **state)
{
	static const double tops[] = { 0.5, 1, 2, 4, 8, 16, 30, 30, 30 };
	struct holdoff h = { .first = 0.5, .most = 30. };

	(void)state;
	for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
		double wait = holdoff_next(&h);

		assert_true(wait >= tops[i] / 2 && wait <= tops[i]);
	}
	h.fails = 4000000000U;
	assert_true(holdoff_next(&h) <= 30.);
	h.fails = 0;
	assert_true(holdoff_next(&h) <= 0.5);
}

static void
two_waits_differ(void **state)
{
	struct holdoff a = { .first = 10., .most = 30. }, b = a;

	(void)state;
	assert_true(holdoff_next(&a) != holdoff_next(&b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_up_to_the_ceiling),
		cmocka_unit_test(two_waits_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
