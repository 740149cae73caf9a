/*
 * What was printed becomes one JSON value or none; never a part of it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/printed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 100 };

/* text: lines, each ended by '\n', as handlers/lines gives them. */
static void
print(struct printed *p, const char *text, size_t len)
{
	const char *end;

	for (; (end = memchr(text, '\n', len)) != NULL; text = end + 1) {
		size_t n = (size_t)(end - text);

		printed_line(p, LIMIT, text, n, false);
		len -= n + 1;
	}
	if (len > 0)
		printed_line(p, LIMIT, text, len, false);
}

static void
expect_bytes(const char *text, size_t len, const char *value)
{
	struct printed p = { 0 };

	print(&p, text, len);
	char *got = printed_value(&p, LIMIT);
	if (value == NULL)
		assert_null(got);
	else
		assert_string_equal(got, value);
	free(got);
	printed_clear(&p);
}

static void
expect(const char *text, const char *value)
{
	expect_bytes(text, strlen(text), value);
}

static void
json_keeps_its_value_and_text_becomes_a_string(void **state)
{
	(void)state;
	expect("{\"a\": 1.0,\n \"b\": [9007199254740993]}\n",
	    "{\"a\":1.0,\"b\":[9007199254740993]}");
	expect("null\n", "null");
	expect("a \"word\"\n", "\"a \\\"word\\\"\"");
	expect("one\ntwo", "\"one\\ntwo\"");
	expect("\n\nx\n\n", "\"\\n\\nx\\n\"");
	expect("{\"a\":1} {\"b\":2}\n", "\"{\\\"a\\\":1} {\\\"b\\\":2}\"");
	expect("", NULL);
	expect("\n", NULL);
}

static void
bytes_that_are_no_text_are_escaped(void **state)
{
	(void)state;
	expect_bytes(
	    "a\xff\x00\xc3\xa9\xc3", 6, "\"a\\\\xff\\u0000\xc3\xa9\\\\xc3\"");
}

static void
pieces_are_one_line(void **state)
{
	struct printed p = { 0 };

	(void)state;
	printed_line(&p, LIMIT, "[1,", 3, true);
	printed_line(&p, LIMIT, "2]", 2, false);
	printed_line(&p, LIMIT, "", 0, false);
	char *got = printed_value(&p, LIMIT);
	assert_string_equal(got, "[1,2]");
	free(got);
	printed_clear(&p);
}

/* By its text, and by the length of the value it becomes. */
static void
above_the_limit_there_is_none(void **state)
{
	char text[LIMIT + 2];
	struct printed p = { 0 };

	(void)state;
	memset(text, 'a', sizeof text);
	print(&p, text, LIMIT - 2);
	char *got = printed_value(&p, LIMIT);
	assert_int_equal(strlen(got), LIMIT);
	assert_false(p.over);
	free(got);
	printed_clear(&p);

	print(&p, text, LIMIT - 1);
	assert_null(printed_value(&p, LIMIT));
	assert_true(p.over);
	printed_clear(&p);

	print(&p, text, LIMIT + 1);
	assert_true(p.over);
	print(&p, "1", 1);
	assert_null(printed_value(&p, LIMIT));
	printed_clear(&p);
}

static void
a_successor_goes_on_within_the_line(void **state)
{
	struct printed p = { 0 }, q = { 0 };
	struct buf *bytes = buf_new(1 << 20);
	struct state_writer w;
	struct state_reader r;

	(void)state;
	printed_line(&p, LIMIT, "one", 3, false);
	printed_line(&p, LIMIT, "tw", 2, true);
	assert_int_equal(state_writer_init(&w, 1 << 20), 0);
	printed_save(&p, &w);
	assert_int_equal(state_seal(&w, 1, bytes), 0);
	assert_int_equal(
	    state_open(&r, buf_front(bytes), buf_len(bytes), 1), 0);
	printed_load(&q, &r);
	assert_false(r.failed);
	printed_line(&q, LIMIT, "o", 1, false);
	char *got = printed_value(&q, LIMIT);
	assert_string_equal(got, "\"one\\ntwo\"");
	free(got);
	state_writer_clear(&w);
	buf_free(bytes);
	printed_clear(&p);
	printed_clear(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    json_keeps_its_value_and_text_becomes_a_string),
		cmocka_unit_test(bytes_that_are_no_text_are_escaped),
		cmocka_unit_test(pieces_are_one_line),
		cmocka_unit_test(above_the_limit_there_is_none),
		cmocka_unit_test(a_successor_goes_on_within_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
