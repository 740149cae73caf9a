/*
 * RFC 3339 text names the moment it should, to the nanosecond, from the first
 * to the last that 64 bits can hold; other text is refused.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/timestamp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define S INT64_C(1000000000)

static void
moments_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:00z", 0 },
		{ "1969-12-31T23:59:59.999999999Z", -1 },
		{ "2026-11-23T21:56:35.86783785Z", 1795470995 * S + 867837850 },
		{ "2026-11-23T22:56:35+01:00", 1795470995 * S },
		{ "2026-11-23T16:26:35-05:30", 1795470995 * S },
		{ "2000-02-29T12:00:00.5Z", 951825600 * S + 500000000 },
		{ "2016-12-31T23:59:60Z", 1483228800 * S },
		{ "2016-12-31T23:59:60.9Z", 1483228800 * S },
		{ "2017-01-01T05:29:60+05:30", 1483228800 * S },
		{ "1677-09-21T00:12:43.145224192Z", INT64_MIN },
		{ "2262-04-11T23:47:16.854775807Z", INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t ns = 42;
		int r =
		    timestamp_parse(cases[i].text, strlen(cases[i].text), &ns);

		if (r != 0 || ns != cases[i].want)
			fail_msg("%s: %d, %jd", cases[i].text, r, (intmax_t)ns);
	}
}

static void
other_text_is_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "", -EINVAL },
		{ "tomorrow", -EINVAL },
		{ "2026-11-23", -EINVAL },
		{ "2026-11-23T21:56:35", -EINVAL },
		{ "2026-11-23 21:56:35Z", -EINVAL },
		{ "2026-11-23T21:56:35ZZ", -EINVAL },
		{ " 2026-11-23T21:56:35Z", -EINVAL },
		{ "2026-1-23T21:56:35Z", -EINVAL },
		{ "2026-13-23T21:56:35Z", -EINVAL },
		{ "2026-00-23T21:56:35Z", -EINVAL },
		{ "2026-11-31T21:56:35Z", -EINVAL },
		{ "2026-11-00T21:56:35Z", -EINVAL },
		{ "2026-02-29T21:56:35Z", -EINVAL },
		{ "1900-02-29T21:56:35Z", -EINVAL },
		{ "2026-11-23T24:00:00Z", -EINVAL },
		{ "2026-11-23T21:60:00Z", -EINVAL },
		{ "2026-11-23T21:56:61Z", -EINVAL },
		{ "2026-11-23T21:56:60Z", -EINVAL },
		{ "2026-11-23T21:56:35.Z", -EINVAL },
		{ "2026-11-23T21:56:35.1234567890Z", -EINVAL },
		{ "2026-11-23T21:56:35,5Z", -EINVAL },
		{ "2026-11-23T21:56:35+0100", -EINVAL },
		{ "2026-11-23T21:56:35+24:00", -EINVAL },
		{ "2026-11-23T21:56:35+01:60", -EINVAL },
		{ "2026-11-23T21:56:35+01", -EINVAL },
		{ "+026-11-23T21:56:35Z", -EINVAL },
		{ "0000-01-01T00:00:00Z", -ERANGE },
		{ "9999-12-31T23:59:59Z", -ERANGE },
		{ "1677-09-21T00:12:43.145224191Z", -ERANGE },
		{ "2262-04-11T23:47:16.854775808Z", -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t ns = 42;
		int r =
		    timestamp_parse(cases[i].text, strlen(cases[i].text), &ns);

		if (r != cases[i].want || ns != 42)
			fail_msg("%s: %d", cases[i].text, r);
	}
}

static void
moments_are_written_in_utc_without_trailing_zeros(void **state)
{
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1795470995 * S + 867837850, "2026-11-23T21:56:35.86783785Z" },
		{ 1795470995 * S + 100000000, "2026-11-23T21:56:35.1Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ -86400 * S, "1969-12-31T00:00:00Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	};
	char text[TIMESTAMP_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = timestamp_format(cases[i].ns, text);

		assert_string_equal(text, cases[i].want);
		assert_int_equal(len, strlen(cases[i].want));
	}
}

/* The C library's calendar as the second opinion, each day of 584 years. */
static void
every_day_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -106751; day <= 106750; day++) {
		char text[TIMESTAMP_MAX], want[TIMESTAMP_MAX];
		time_t t = day * 86400 + 3661;
		struct tm tm;
		int64_t back;

		assert_non_null(gmtime_r(&t, &tm));
		strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
		size_t len = timestamp_format((int64_t)t * S, text);
		assert_string_equal(text, want);
		assert_int_equal(timestamp_parse(text, len, &back), 0);
		assert_true(back == (int64_t)t * S);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_read),
		cmocka_unit_test(other_text_is_refused),
		cmocka_unit_test(
		    moments_are_written_in_utc_without_trailing_zeros),
		cmocka_unit_test(every_day_agrees_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
