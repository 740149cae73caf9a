/*
 * Numbers are what their digits say, however they are written and however
 * large they are.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/number.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct number
number(const char *text)
{
	const struct json token = { JSON_NUMBER, text, strlen(text) };

	return number_read(&token);
}

static int
compare(const char *a, const char *b)
{
	struct number n = number(a), m = number(b);

	assert_int_equal(number_compare(&m, &n), -number_compare(&n, &m));
	if (number_compare(&n, &m) == 0)
		assert_int_equal(number_hash(&n), number_hash(&m));
	return number_compare(&n, &m);
}

static void
one_number_has_many_spellings(void **state)
{
	(void)state;
	assert_int_equal(compare("1", "1.0"), 0);
	assert_int_equal(compare("1", "10e-1"), 0);
	assert_int_equal(compare("100", "1E+2"), 0);
	assert_int_equal(compare("0.05", "5e-2"), 0);
	assert_int_equal(compare("0", "-0.00e7"), 0);
	assert_int_equal(compare("10.010", "1001e-2"), 0);
}

/* What a double cannot tell apart. */
static void
no_digit_is_lost(void **state)
{
	(void)state;
	assert_int_equal(compare("9007199254740992", "9007199254740993"), -1);
	assert_int_equal(compare("0.1", "0.1000000000000000055"), -1);
	assert_int_equal(compare("1e400", "1e399"), 1);
	assert_int_equal(compare("-1e400", "-1e399"), -1);
	assert_int_equal(compare("-3", "2"), -1);
	assert_int_equal(compare("0", "-1e-400"), 1);
	assert_int_equal(compare("12", "123e-1"), -1);
	assert_int_equal(compare("1e99999999999999999999", "5"), 1);
}

static bool
whole(const char *text)
{
	struct number n = number(text);

	return number_is_whole(&n);
}

static void
whole_is_a_matter_of_value(void **state)
{
	uint64_t count = 7;
	struct number n;

	(void)state;
	assert_true(whole("1.0"));
	assert_true(whole("1.5e1"));
	assert_true(whole("0.0"));
	assert_true(whole("1e400"));
	assert_false(whole("1.5"));
	assert_false(whole("1e-1"));
	n = number("2.50e2");
	assert_int_equal(number_count(&n, &count), 0);
	assert_int_equal(count, 250);
	n = number("-0");
	assert_int_equal(number_count(&n, &count), 0);
	assert_int_equal(count, 0);
	n = number("-1");
	assert_int_equal(number_count(&n, &count), -ERANGE);
	n = number("1e18");
	assert_int_equal(number_count(&n, &count), -ERANGE);
	n = number("0.5");
	assert_int_equal(number_count(&n, &count), -ERANGE);
}

static bool
multiple(const char *a, const char *b)
{
	struct number n = number(a), by = number(b);

	return number_is_multiple(&n, &by);
}

static void
division_leaves_no_rounding(void **state)
{
	(void)state;
	assert_true(multiple("0.3", "0.1"));
	assert_true(multiple("19.99", "0.01"));
	assert_false(multiple("0.0075001", "0.0001"));
	assert_true(multiple("0", "7"));
	assert_true(multiple("-21", "7"));
	assert_false(multiple("22", "7"));
	assert_false(multiple("1", "10"));
	assert_true(multiple("1e308", "0.5"));
	assert_true(multiple("123456789012345678901234567890", "10"));
	assert_false(multiple("123456789012345678901234567891", "10"));
	assert_true(multiple("999999999999999999", "999999999999999999"));
	assert_false(multiple("1e999999999", "3"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_number_has_many_spellings),
		cmocka_unit_test(no_digit_is_lost),
		cmocka_unit_test(whole_is_a_matter_of_value),
		cmocka_unit_test(division_leaves_no_rounding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
