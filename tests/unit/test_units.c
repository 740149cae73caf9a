/*
 * A duration says its unit, a size means what it says, and nothing wraps.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define MS          INT64_C(1000000)

struct reading {
	const char *text;
	int result;
	int64_t value;
};

static void
check(int (*read)(const char *text, int64_t *value), const struct reading *want,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = -77;
		int result = read(want[i].text, &value);

		if (result != want[i].result)
			fail_msg("\"%s\" gave %d", want[i].text, result);
		assert_int_equal(value, result < 0 ? -77 : want[i].value);
	}
}

static void
a_duration_has_a_unit_unless_it_is_zero(void **state)
{
	static const struct reading cases[] = {
		{ "90s", 0, 90000 * MS },
		{ "250ms", 0, 250 * MS },
		{ "5m", 0, 300000 * MS },
		{ "2h", 0, 7200000 * MS },
		{ "1d", 0, 86400000 * MS },
		{ "0", 0, 0 },
		{ "0s", 0, 0 },
		{ "007s", 0, 7000 * MS },
		{ "90", -EDOM, 0 },
		{ "99999999999999999999", -EDOM, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-5s", -EINVAL, 0 },
		{ "+5s", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "5 s", -EINVAL, 0 },
		{ " 5s", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "5sec", -EINVAL, 0 },
		{ "1m30s", -EINVAL, 0 },
		{ "99999999999999999999s", -ERANGE, 0 },
		{ "106752d", -ERANGE, 0 },
		{ "106751d", 0, INT64_C(106751) * 86400000 * MS },
	};

	(void)state;
	check(units_duration, cases, COUNT(cases));
}

static void
a_size_is_bytes_or_a_power_of_1024(void **state)
{
	static const struct reading cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "4K", 0, 4096 },
		{ "64M", 0, INT64_C(64) << 20 },
		{ "1G", 0, INT64_C(1) << 30 },
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "4k", -EINVAL, 0 },
		{ "4KB", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "8589934592G", -ERANGE, 0 },
	};

	(void)state;
	check(units_size, cases, COUNT(cases));
}

static void
an_integer_is_digits(void **state)
{
	static const struct reading cases[] = {
		{ "0", 0, 0 },
		{ "10", 0, 10 },
		{ "-3", 0, -3 },
		{ "", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "--3", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "many", -EINVAL, 0 },
		{ "9223372036854775808", -ERANGE, 0 },
	};

	(void)state;
	check(units_integer, cases, COUNT(cases));
}

static void
what_is_shown_reads_back_and_is_short(void **state)
{
	static const struct {
		int64_t value;
		const char *duration, *size;
	} cases[] = {
		{ 0, "0s", "0" },
		{ 250 * MS, "250ms", NULL },
		{ 90000 * MS, "90s", NULL },
		{ 120000 * MS, "2m", NULL },
		{ 3600000 * MS, "1h", NULL },
		{ 86400000 * MS, "1d", NULL },
		{ 1000, NULL, "1000" },
		{ 4096, NULL, "4K" },
		{ INT64_C(1) << 20, NULL, "1M" },
		{ INT64_C(1536) << 20, NULL, "1536M" },
		{ INT64_C(1) << 40, NULL, "1024G" },
	};
	char shown[UNITS_SHOWN_MAX];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].duration != NULL) {
			units_show_duration(cases[i].value, shown);
			assert_string_equal(shown, cases[i].duration);
			assert_int_equal(units_duration(shown, &back), 0);
			assert_int_equal(back, cases[i].value);
		}
		if (cases[i].size != NULL) {
			units_show_size(cases[i].value, shown);
			assert_string_equal(shown, cases[i].size);
			assert_int_equal(units_size(shown, &back), 0);
			assert_int_equal(back, cases[i].value);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_duration_has_a_unit_unless_it_is_zero),
		cmocka_unit_test(a_size_is_bytes_or_a_power_of_1024),
		cmocka_unit_test(an_integer_is_digits),
		cmocka_unit_test(what_is_shown_reads_back_and_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
