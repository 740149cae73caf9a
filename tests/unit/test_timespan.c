/*
 * A unit's times are read as systemd.time(7) writes them, and nothing else.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/timespan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "90", 90000 },
		{ "90s", 90000 },
		{ " 90 \n", 90000 },
		{ "1min 30s", 90000 },
		{ "1min30s", 90000 },
		{ "2 h", 7200000 },
		{ "1.5s", 1500 },
		{ "1.5min", 90000 },
		{ "500ms", 500 },
		{ "1500000us", 1500 },
		{ "1d 1w", 8 * 86400000LL },
		{ "0", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t ns = -1;

		assert_int_equal(timespan_read(cases[i].text, &ns), 0);
		assert_int_equal(ns, cases[i].ms * 1000000);
	}
}

static void
infinity_is_for_ever(void **state)
{
	int64_t ns = 0;

	(void)state;
	assert_int_equal(timespan_read("infinity", &ns), 0);
	assert_int_equal(ns, TIMESPAN_INFINITY);
}

static void
other_text_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "s", "-1", "1x", "1.s",
		"1..2s", "infinity s", "1s,", "one" };
	int64_t ns = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(timespan_read(bad[i], &ns), -EINVAL);
	assert_int_equal(timespan_read("400y", &ns), -ERANGE);
	assert_int_equal(timespan_read("99999999999999999999s", &ns), -ERANGE);
	assert_int_equal(ns, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(infinity_is_for_ever),
		cmocka_unit_test(other_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
