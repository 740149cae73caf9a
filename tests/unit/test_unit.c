/*
 * The last TimeoutStopSec of the [Service] section counts, as in systemd.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/timespan.h"

static void
the_time_to_stop_is_found(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0: infinity */
	} cases[] = {
		{ "", 90 },
		{ "[Service]\nType=notify\n", 90 },
		{ "[Service]\nTimeoutStopSec=50", 50 },
		{ "[Service]\nTimeoutStopSec = 1min 30s\r\n", 90 },
		{ "[Service]\nTimeoutSec=20\nTimeoutStopSec=30\n", 30 },
		{ "[Service]\nTimeoutStopSec=30\nTimeoutSec=20\n", 20 },
		{ "[Service]\nTimeoutStopSec=30\nTimeoutStopSec=\n", 90 },
		{ "[Service]\n#TimeoutStopSec=30\nTimeoutStopSecs=1\n", 90 },
		{ "[Unit]\nTimeoutStopSec=30\n[Install]\nTimeoutSec=3\n", 90 },
		{ "[Service]\nTimeoutStopSec=infinity\n", 0 },
		{ "[Service]\nTimeoutStopSec=0\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t ns = -1;

		assert_int_equal(
		    unit_read_stop_timeout(cases[i].text, &ns, NULL), 0);
		assert_int_equal(ns,
		    cases[i].seconds == 0 ? TIMESPAN_INFINITY
					  : cases[i].seconds * 1000000000);
	}
}

static void
mistakes_name_the_setting(void **state)
{
	struct err e;
	int64_t ns;

	(void)state;
	assert_true(unit_read_stop_timeout(
			"[Service]\nTimeoutStopSec=soon\n", &ns, &e) < 0);
	assert_string_equal(
	    e.text, "TimeoutStopSec=soon is not a time, as in 90s or 1min 30s");
	assert_true(unit_stop_timeout("/no/such/unit", &ns, &e) < 0);
	assert_string_equal(e.text, "/no/such/unit: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_to_stop_is_found),
		cmocka_unit_test(mistakes_name_the_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
