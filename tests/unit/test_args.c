/*
 * What a person types becomes the JSON that was meant.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/args.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void
assert_text(struct buf *b, const char *want)
{
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(buf_front(b), want);
	buf_free(b);
}

static void
a_word_is_json_when_it_is_a_json_value_other_than_a_string(void **state)
{
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "42", "42" },
		{ "-1", "-1" },
		{ "1.0", "1.0" },
		{ "9007199254740993", "9007199254740993" },
		{ "true", "true" },
		{ "false", "false" },
		{ "null", "null" },
		{ "[1, 2]", "[1,2]" },
		{ "{\"w\": 640}", "{\"w\":640}" },
		{ "\"a\"", "\"\\\"a\\\"\"" },
		{ "photo.jpg", "\"photo.jpg\"" },
		{ "", "\"\"" },
		{ "007", "\"007\"" },
		{ "+1", "\"+1\"" },
		{ "True", "\"True\"" },
		{ "{w: 640}", "\"{w: 640}\"" },
		{ "1 2", "\"1 2\"" },
		{ "a\nb", "\"a\\nb\"" },
		{ "\xc3\xa9", "\"\xc3\xa9\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf *b = buf_new(1000);
		struct err e;

		assert_int_equal(args_put_word(b, cases[i].word, false, &e), 0);
		assert_text(b, cases[i].want);
	}
}

static void
strings_stay_strings_when_that_is_asked_for(void **state)
{
	char one[] = "42", two[] = "{}";
	char *words[] = { one, two };
	struct buf *b = buf_new(1000);
	struct err e;

	(void)state;
	assert_int_equal(args_put_list(b, words, 2, true, &e), 0);
	assert_text(b, "[\"42\",\"{}\"]");
}

static void
a_word_that_is_not_utf8_is_refused_by_its_place(void **state)
{
	char one[] = "a", two[] = "\xff";
	char *words[] = { one, two };
	struct buf *b = buf_new(1000);
	struct err e;

	(void)state;
	assert_int_equal(args_put_list(b, words, 2, false, &e), -EINVAL);
	assert_string_equal(e.text, "argument 2: a word is not UTF-8");
	buf_free(b);
}

static void
an_array_is_taken_with_its_numbers_as_they_are(void **state)
{
	struct buf *b = buf_new(1000);
	struct err e;

	(void)state;
	assert_int_equal(
	    args_put_array(b, " [ 1.0, \"a b\",\n 12345678901234567890 ] ", &e),
	    0);
	assert_text(b, "[1.0,\"a b\",12345678901234567890]");
}

static void
what_is_not_an_array_is_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{}", "not a JSON array, as [1,\"two\"]" },
		{ "5", "not a JSON array, as [1,\"two\"]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf *b = buf_new(1000);
		struct err e;

		assert_int_equal(args_put_array(b, cases[i].text, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].want);
		assert_int_equal(buf_len(b), 0);
		buf_free(b);
	}
	struct err e;
	struct buf *b = buf_new(1000);
	assert_int_equal(args_put_array(b, "[1,", &e), -EINVAL);
	assert_memory_equal(e.text, "not JSON: ", 10);
	buf_free(b);
}

static void
pairs_become_an_object(void **state)
{
	char one[] = "tenant=acme", two[] = "n=5", three[] = "eq=a=b",
	     four[] = "none=";
	char *pairs[] = { one, two, three, four };
	struct buf *b = buf_new(1000);
	struct err e;

	(void)state;
	assert_int_equal(args_put_pairs(b, pairs, 4, false, &e), 0);
	assert_text(
	    b, "{\"tenant\":\"acme\",\"n\":5,\"eq\":\"a=b\",\"none\":\"\"}");
}

static void
a_pair_needs_a_key_of_its_own(void **state)
{
	static const struct {
		char pairs[2][8];
		const char *want;
	} cases[] = {
		{ { "a=1", "b" }, "\"b\" is not of the form KEY=VALUE" },
		{ { "a=1", "=b" }, "\"=b\" is not of the form KEY=VALUE" },
		{ { "a=1", "a=2" }, "a is given twice" },
		{ { "a=1", "b=\xff" }, "b: a word is not UTF-8" },
		{ { "a=1", "\xff=b" }, "a key is not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char one[8], two[8];
		char *pairs[] = { one, two };
		struct buf *b = buf_new(1000);
		struct err e;

		memcpy(one, cases[i].pairs[0], sizeof one);
		memcpy(two, cases[i].pairs[1], sizeof two);
		assert_int_equal(
		    args_put_pairs(b, pairs, 2, false, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].want);
		buf_free(b);
	}
}

static void
numbers_have_limits(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "many", "\"many\" is not a whole number" },
		{ "1.5", "\"1.5\" is not a whole number" },
		{ "-2", "-2 is outside -1..10" },
		{ "11", "11 is outside -1..10" },
		{ "99999999999999999999",
		    "99999999999999999999 is outside -1..10" },
	};
	int64_t n = 7;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(
		    args_int(cases[i].text, -1, 10, &n, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].want);
		assert_int_equal(n, 7);
	}
	assert_int_equal(args_int("-1", -1, 10, &n, &e), 0);
	assert_int_equal(n, -1);
}

static void
durations_have_units(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "5", "\"5\" has no unit, as in 90s or 5m" },
		{ "soon", "\"soon\" is not a duration, as 90s or 5m" },
		{ "99999999999999999d", "\"99999999999999999d\" is too long" },
	};
	int64_t ns = 7;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(
		    args_duration(cases[i].text, &ns, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].want);
		assert_int_equal(ns, 7);
	}
	assert_int_equal(args_duration("5m", &ns, &e), 0);
	assert_int_equal(ns, INT64_C(300000000000));
}

static void
moments_are_rfc_3339(void **state)
{
	int64_t ns = 7;
	struct err e;

	(void)state;
	assert_int_equal(args_moment("tomorrow", &ns, &e), -EINVAL);
	assert_string_equal(
	    e.text, "\"tomorrow\" is not a moment, as 2026-11-23T21:56:35Z");
	assert_int_equal(args_moment("1970-01-01T00:00:02Z", &ns, &e), 0);
	assert_int_equal(ns, INT64_C(2000000000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_word_is_json_when_it_is_a_json_value_other_than_a_string),
		cmocka_unit_test(strings_stay_strings_when_that_is_asked_for),
		cmocka_unit_test(
		    a_word_that_is_not_utf8_is_refused_by_its_place),
		cmocka_unit_test(
		    an_array_is_taken_with_its_numbers_as_they_are),
		cmocka_unit_test(what_is_not_an_array_is_refused),
		cmocka_unit_test(pairs_become_an_object),
		cmocka_unit_test(a_pair_needs_a_key_of_its_own),
		cmocka_unit_test(numbers_have_limits),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(moments_are_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
