/*
 * What is JSON passes and everything else is refused at the first byte that
 * cannot be; values are found and decoded as every other reader would.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct json
checked(const char *text)
{
	struct json value;
	struct json_fault fault;

	if (json_check(text, strlen(text), &value, &fault) < 0)
		fail_msg("%s: %s at %zu", text, fault.why, fault.at);
	return value;
}

static void
documents_pass_and_lose_the_space_around(void **state)
{
	static const struct {
		const char *text, *want;
		enum json_kind kind;
	} cases[] = {
		{ " {} ", "{}", JSON_OBJECT },
		{ "\t[ ]\r\n", "[ ]", JSON_ARRAY },
		{ "\"\"", "\"\"", JSON_STRING },
		{ "true", "true", JSON_TRUE },
		{ "false", "false", JSON_FALSE },
		{ "null", "null", JSON_NULL },
		{ "0", "0", JSON_NUMBER },
		{ "-0", "-0", JSON_NUMBER },
		{ "-12.50e+3 ", "-12.50e+3", JSON_NUMBER },
		{ "1E-400", "1E-400", JSON_NUMBER },
		{ "123456789012345678901234567890",
		    "123456789012345678901234567890", JSON_NUMBER },
		{ "[1,[2,{\"a\":[]}],{}]", "[1,[2,{\"a\":[]}],{}]",
		    JSON_ARRAY },
		{ "{ \"a\" : 1 , \"a\" : 2 }", "{ \"a\" : 1 , \"a\" : 2 }",
		    JSON_OBJECT },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", JSON_STRING },
		{ "\"é€😀\x7f\"", "\"é€😀\x7f\"", JSON_STRING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json v = checked(cases[i].text);

		assert_int_equal(v.kind, cases[i].kind);
		assert_int_equal(v.len, strlen(cases[i].want));
		assert_memory_equal(v.text, cases[i].want, v.len);
	}
}

static void
faults_are_named_where_they_are(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} cases[] = {
		{ "", 0, "unexpected end" },
		{ "  ", 2, "unexpected end" },
		{ "{", 1, "unexpected end" },
		{ "[1", 2, "unexpected end" },
		{ "[1,", 3, "unexpected end" },
		{ "{\"a\"", 4, "unexpected end" },
		{ "{\"a\":", 5, "unexpected end" },
		{ "\"abc", 4, "unexpected end" },
		{ "\"a\\", 3, "unexpected end" },
		{ "\"\\u12", 5, "unexpected end" },
		{ "-", 1, "unexpected end" },
		{ "1.", 2, "unexpected end" },
		{ "1e", 2, "unexpected end" },
		{ "tru", 3, "unexpected end" },
		{ "{\"jid\":\"x\",\"args\"[]}", 17, "expected ':'" },
		{ "{\"a\":1,\"abcdef\":2]", 17, "expected ',' or '}'" },
		{ "[1 2]", 3, "expected ',' or ']'" },
		{ "[1}", 2, "expected ',' or ']'" },
		{ "[01]", 2, "expected ',' or ']'" },
		{ "{a:1}", 1, "expected a key or '}'" },
		{ "{\"a\":1,}", 7, "expected a key" },
		{ "[,1]", 1, "expected a value" },
		{ "[1,]", 3, "expected a value" },
		{ "+1", 0, "expected a value" },
		{ ".5", 0, "expected a value" },
		{ "nul!", 3, "expected a value" },
		{ "'a'", 0, "expected a value" },
		{ "-a", 1, "expected a digit" },
		{ "1.e5", 2, "expected a digit" },
		{ "1e+x", 3, "expected a digit" },
		{ "\"a\nb\"", 2, "control character in a string" },
		{ "\"aaaaaaaaa\tb\"", 10, "control character in a string" },
		{ "\"\\x\"", 2, "expected an escape sequence" },
		{ "\"\\u12g4\"", 5, "expected four hexadecimal digits" },
		{ "\"ab\xff\"", 3, "a string that is not UTF-8" },
		{ "\"\xc0\x80\"", 1, "a string that is not UTF-8" },
		{ "\"\xed\xa0\x80\"", 1, "a string that is not UTF-8" },
		{ "\"\xf4\x90\x80\x80\"", 1, "a string that is not UTF-8" },
		{ "\"\xe2\x82\"", 1, "a string that is not UTF-8" },
		{ "{} trailing", 3, "text after the end" },
		{ "1 2", 2, "text after the end" },
		{ "\xef\xbb\xbf{}", 0, "expected a value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_fault f = { 99, "none" };
		struct json v = { .kind = JSON_NONE };
		int r =
		    json_check(cases[i].text, strlen(cases[i].text), &v, &f);

		if (r != -EINVAL || f.at != cases[i].at ||
		    strcmp(f.why, cases[i].why) != 0)
			fail_msg(
			    "%s: %d, %s at %zu", cases[i].text, r, f.why, f.at);
		assert_int_equal(v.kind, JSON_NONE);
	}
}

static void
a_nul_is_no_json(void **state)
{
	struct json_fault f;
	struct json v;

	(void)state;
	assert_int_equal(json_check("\"a\0\"", 4, &v, &f), -EINVAL);
	assert_int_equal(f.at, 2);
	assert_int_equal(json_check("{}\0", 3, &v, &f), -EINVAL);
	assert_int_equal(f.at, 2);
	assert_int_equal(json_check("\"\\\0\"", 4, &v, &f), -EINVAL);
	assert_int_equal(f.at, 2);
}

static void
sixty_four_levels_pass_and_no_more(void **state)
{
	char text[200] = "";
	struct json_fault f;
	struct json v;

	(void)state;
	for (int i = 0; i < 32; i++)
		strcat(text, "[{\"a\":");
	text[6 * 32] = '\0';
	assert_int_equal(json_check(text, strlen(text), &v, &f), -EINVAL);
	assert_string_equal(f.why, "unexpected end");

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	assert_int_equal(json_check(text, 128, &v, NULL), 0);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(json_check(text, 130, &v, &f), -EINVAL);
	assert_int_equal(f.at, 64);
	assert_string_equal(f.why, "nested deeper than 64 levels");
}

static void
members_and_elements_come_in_order(void **state)
{
	struct json o = checked(
	    " { \"a\" : [ 1 , \"]\\\"\" ] , \"b\":{\"c\":{}} , \"d\" : -1 } ");
	struct json_walk w = json_walk(&o);
	static const char *const want[] = { "\"a\"", "[ 1 , \"]\\\"\" ]",
		"\"b\"", "{\"c\":{}}", "\"d\"", "-1" };
	struct json key, value;
	size_t i = 0;

	(void)state;
	while (json_next_member(&w, &key, &value)) {
		assert_true(i < 6);
		assert_int_equal(key.len, strlen(want[i]));
		assert_memory_equal(key.text, want[i++], key.len);
		assert_int_equal(value.len, strlen(want[i]));
		assert_memory_equal(value.text, want[i++], value.len);
	}
	assert_int_equal(i, 6);
	assert_int_equal(json_count(&o), 3);

	struct json a = json_get(&o, "a");
	assert_int_equal(json_count(&a), 2);
	assert_int_equal(json_at(&a, 0).kind, JSON_NUMBER);
	assert_int_equal(json_at(&a, 1).kind, JSON_STRING);
	assert_int_equal(json_at(&a, 2).kind, JSON_NONE);
	assert_int_equal(json_at(&o, 0).kind, JSON_NONE);
	struct json d = json_get(&o, "d");
	assert_int_equal(json_count(&d), 0);
	assert_int_equal(json_get(&a, "a").kind, JSON_NONE);
	w = json_walk(&d);
	assert_false(json_next_element(&w, &value));
}

static void
get_takes_the_last_of_equal_keys_decoded(void **state)
{
	struct json o =
	    checked("{\"a\":1,\"\\u0061\":2,\"A\":3,\"ab\":4,\"\":5}");
	int64_t n;
	struct json v = json_get(&o, "a");

	(void)state;
	assert_int_equal(json_int(&v, &n), 0);
	assert_int_equal(n, 2);
	v = json_get(&o, "");
	assert_int_equal(json_int(&v, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(json_get(&o, "b").kind, JSON_NONE);
}

static void
strings_are_decoded(void **state)
{
	static const struct {
		const char *text, *want;
		size_t len;
	} cases[] = {
		{ "\"plain\"", "plain", 5 },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
		{ "\"a\\u00e9\\u20AC\\ud83d\\ude00z\"", "aé€😀z", 11 },
		{ "\"\\u0000\"", "\0", 1 },
		{ "\"\\ud83d\"", "\xef\xbf\xbd", 3 },
		{ "\"\\ude00x\"", "\xef\xbf\xbdx", 4 },
		{ "\"\\ud83d\\n\"", "\xef\xbf\xbd\n", 4 },
		{ "\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd😀", 7 },
		{ "\"\\ud83d\\u0041\"",
		    "\xef\xbf\xbd"
		    "A",
		    4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json v = checked(cases[i].text);
		char out[64];
		ssize_t n = json_decode_string(&v, out, sizeof out);

		assert_int_equal(n, cases[i].len);
		assert_memory_equal(out, cases[i].want, cases[i].len);
		assert_int_equal(json_decode_string(&v, out, cases[i].len), n);
		assert_int_equal(
		    json_decode_string(&v, out, cases[i].len - 1), -ENOBUFS);
		assert_true(json_string_is(&v, cases[i].want, cases[i].len));
		assert_false(
		    json_string_is(&v, cases[i].want, cases[i].len - 1));
		assert_false(json_string_is(&v, "something else", 14));
	}
	struct json number = checked("1");
	char out[4];
	assert_int_equal(json_decode_string(&number, out, 4), -EINVAL);
	assert_false(json_string_is(&number, "1", 1));
}

static void
a_string_without_escapes_is_borrowed(void **state)
{
	struct json plain = checked("\"abc\"");
	struct json escaped = checked("\"a\\u0062c\"");
	struct json number = checked("12");
	const char *bytes;
	size_t len;

	(void)state;
	assert_true(json_plain_string(&plain, &bytes, &len));
	assert_ptr_equal(bytes, plain.text + 1);
	assert_int_equal(len, 3);
	assert_false(json_plain_string(&escaped, &bytes, &len));
	assert_false(json_plain_string(&number, &bytes, &len));
}

static void
integers_are_literal(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t want;
	} cases[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "9007199254740993", 0, INT64_C(9007199254740993) },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "60.0", -EINVAL, 0 },
		{ "6e1", -EINVAL, 0 },
		{ "\"60\"", -EINVAL, 0 },
		{ "true", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json v = checked(cases[i].text);
		int64_t n = 0;

		assert_int_equal(json_int(&v, &n), cases[i].result);
		assert_true(n == cases[i].want);
	}
}

static void
numbers_are_doubles(void **state)
{
	struct json v = checked("-12.5e1"), huge = checked("1e400");
	struct json text = checked("\"1\"");
	double d = 0;

	(void)state;
	assert_int_equal(json_double(&v, &d), 0);
	assert_true(d == -125.0);
	assert_int_equal(json_double(&huge, &d), -ERANGE);
	assert_int_equal(json_double(&text, &d), -EINVAL);
	assert_true(d == -125.0);
}

static void
written_strings_are_escaped(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *want;
	} cases[] = {
		{ "", 0, "\"\"" },
		{ "plain é€😀 \x7f<>&", 20, "\"plain é€😀 \x7f<>&\"" },
		{ "\"\\/\b\f\n\r\t", 8, "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ "\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\"" },
		{ "a\xff\xe2\x82z", 5,
		    "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf *b = buf_new(100);

		assert_int_equal(
		    json_put_string(b, cases[i].bytes, cases[i].len), 0);
		assert_int_equal(buf_len(b), strlen(cases[i].want));
		assert_memory_equal(buf_front(b), cases[i].want, buf_len(b));
		buf_free(b);
	}
}

static void
a_full_buffer_is_left_as_it_was(void **state)
{
	struct json v = checked("[1, 2, 3, 4, 5]");

	(void)state;
	for (size_t max = 4; max < 12; max++) {
		struct buf *b = buf_new(max);

		buf_puts(b, "abcd");
		assert_int_equal(json_put_string(b, "\n12345\n", 7), -ENOBUFS);
		assert_int_equal(json_put_compact(b, &v), -ENOBUFS);
		assert_int_equal(buf_len(b), 4);
		buf_free(b);
	}
}

static void
compact_drops_only_the_space_between(void **state)
{
	struct json v = checked("{ \"a b\\\" \" : [ 1.0 , 9007199254740993\t] "
				",\r\n\"c\":\"\\\\\" }");
	static const char want[] =
	    "{\"a b\\\" \":[1.0,9007199254740993],\"c\":\"\\\\\"}";
	struct buf *b = buf_new(200);

	(void)state;
	assert_int_equal(json_put_compact(b, &v), 0);
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_front(b), want, strlen(want));
	buf_free(b);
}

static void
utf8_is_what_rfc_3629_says(void **state)
{
	static const struct {
		const char *bytes;
		bool want;
	} cases[] = {
		{ "", true },
		{ "abc é€😀", true },
		{ "\xc2\x80", true },
		{ "\xef\xbf\xbf", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\x80", false },
		{ "\xc1\xbf", false },
		{ "\xc3", false },
		{ "\xc3(", false },
		{ "\xe0\x9f\xbf", false },
		{ "\xed\xa0\x80", false },
		{ "\xf0\x8f\xbf\xbf", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xfe", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(
		    json_utf8_valid(cases[i].bytes, strlen(cases[i].bytes)),
		    cases[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_pass_and_lose_the_space_around),
		cmocka_unit_test(faults_are_named_where_they_are),
		cmocka_unit_test(a_nul_is_no_json),
		cmocka_unit_test(sixty_four_levels_pass_and_no_more),
		cmocka_unit_test(members_and_elements_come_in_order),
		cmocka_unit_test(get_takes_the_last_of_equal_keys_decoded),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(a_string_without_escapes_is_borrowed),
		cmocka_unit_test(integers_are_literal),
		cmocka_unit_test(numbers_are_doubles),
		cmocka_unit_test(written_strings_are_escaped),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
		cmocka_unit_test(compact_drops_only_the_space_between),
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
