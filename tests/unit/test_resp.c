/*
 * A reply means the same however the network cuts it up, what is no reply is
 * told from what is not all there, and nobody's words can forge one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/resp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 100 };

static void
replies_are_cut_off_the_stream(void **state)
{
	static const struct {
		const char *bytes;
		enum resp_kind kind;
		const char *text;
		int64_t number;
		size_t size;
	} cases[] = {
		{ "+OK\r\n", RESP_SIMPLE, "OK", 0, 5 },
		{ "+OK\n", RESP_SIMPLE, "OK", 0, 4 },
		{ "+\r\n", RESP_SIMPLE, "", 0, 3 },
		{ "+HI {\"v\":2}\r\n+OK\r\n", RESP_SIMPLE, "HI {\"v\":2}", 0,
		    13 },
		{ "-ERR Job not found x\r\n", RESP_ERROR, "ERR Job not found x",
		    0, 22 },
		{ ":0\r\n", RESP_INT, "0", 0, 4 },
		{ ":-12\r\n", RESP_INT, "-12", -12, 6 },
		{ ":+7\n", RESP_INT, "+7", 7, 4 },
		{ ":9223372036854775807\r\n", RESP_INT, "9223372036854775807",
		    INT64_MAX, 22 },
		{ "$-1\r\n+OK", RESP_NULL, NULL, 0, 5 },
		{ "$0\r\n\r\n", RESP_BULK, "", 0, 6 },
		{ "$2\r\n{}\r\n", RESP_BULK, "{}", 0, 8 },
		{ "$2\n{}\n", RESP_BULK, "{}", 0, 6 },
		{ "$5\r\na\r\nb\n\r\nrest", RESP_BULK, "a\r\nb\n", 0, 11 },
		{ "$002\r\n{}\r\n", RESP_BULK, "{}", 0, 10 },
		{ "*1\r\n$2\r\n{}\r\n+OK", RESP_ARRAY, "$2\r\n{}\r\n", 1, 12 },
		{ "*2\r\n$0\r\n\r\n$1\n*\n", RESP_ARRAY, "$0\r\n\r\n$1\n*\n", 2,
		    15 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].bytes);
		struct resp r;

		for (size_t n = 0; n < cases[i].size; n++)
			assert_int_equal(
			    resp_decode(cases[i].bytes, n, MAX, &r), RESP_MORE);
		assert_int_equal(
		    resp_decode(cases[i].bytes, len, MAX, &r), RESP_OK);
		assert_int_equal(r.kind, cases[i].kind);
		assert_int_equal(r.size, cases[i].size);
		assert_true(r.number == cases[i].number);
		if (cases[i].text == NULL) {
			assert_null(r.text);
			continue;
		}
		assert_int_equal(r.len, strlen(cases[i].text));
		assert_memory_equal(r.text, cases[i].text, r.len);
	}
}

static void
what_cannot_become_a_reply_is_told_apart(void **state)
{
	static const struct {
		const char *bytes;
		enum resp_status want;
	} cases[] = {
		{ "HTTP/1.1 400", RESP_BAD },
		{ "*1\r\n", RESP_MORE },
		{ "*\r\n", RESP_BAD },
		{ "*0\r\n", RESP_BAD },
		{ "*-1\r\n", RESP_BAD },
		{ "*1\r\n+OK\r\n", RESP_BAD },
		{ "*1\r\n*1\r\n$0\r\n\r\n", RESP_BAD },
		{ "*1\r\n$-1\r\n", RESP_BAD },
		{ "*2\r\n$1\r\nx\r\n:1\r\n", RESP_BAD },
		{ "*64\r\n", RESP_MORE },
		{ "*65\r\n", RESP_HUGE },
		{ "*99999999999999999999999\r\n", RESP_HUGE },
		{ "*1\r\n$101\r\n", RESP_HUGE },
		{ "*2\r\n$2\r\n{}\r\n$98\r\n", RESP_MORE },
		{ "*2\r\n$2\r\n{}\r\n$99\r\n", RESP_HUGE },
		{ "\r\n", RESP_BAD },
		{ ":\r\n", RESP_BAD },
		{ ":1.5\r\n", RESP_BAD },
		{ ":--1\r\n", RESP_BAD },
		{ ":9223372036854775808\r\n", RESP_BAD },
		{ "$\r\n", RESP_BAD },
		{ "$-2\r\n", RESP_BAD },
		{ "$-1 \r\n", RESP_BAD },
		{ "$+2\r\n{}\r\n", RESP_BAD },
		{ "$2x\r\n{}\r\n", RESP_BAD },
		{ "$2\r\n{}}", RESP_BAD },
		{ "$2\r\n{}\rx", RESP_BAD },
		{ "$100\r\n", RESP_MORE },
		{ "$101\r\n", RESP_HUGE },
		{ "$99999999999999999999999\r\n", RESP_HUGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct resp r = { .size = 77 };

		assert_int_equal(resp_decode(cases[i].bytes,
				     strlen(cases[i].bytes), MAX, &r),
		    cases[i].want);
		assert_int_equal(r.size, 77);
	}
}

static void
a_line_has_a_ceiling(void **state)
{
	char *line = malloc(RESP_LINE_MAX + 1);
	struct resp r;

	(void)state;
	memset(line, 'x', RESP_LINE_MAX + 1);
	line[0] = '+';
	assert_int_equal(
	    resp_decode(line, RESP_LINE_MAX - 1, MAX, &r), RESP_MORE);
	assert_int_equal(resp_decode(line, RESP_LINE_MAX, MAX, &r), RESP_HUGE);
	line[RESP_LINE_MAX] = '\n';
	assert_int_equal(
	    resp_decode(line, RESP_LINE_MAX + 1, MAX, &r), RESP_HUGE);
	line[RESP_LINE_MAX - 1] = '\n';
	assert_int_equal(resp_decode(line, RESP_LINE_MAX, MAX, &r), RESP_OK);
	free(line);
}

static void
is(struct buf *b, const char *want)
{
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_front(b), want, strlen(want));
	buf_clear(b);
}

static void
replies_are_written(void **state)
{
	struct buf *b = buf_new(200);

	(void)state;
	assert_int_equal(resp_put_simple(b, "OK"), 0);
	is(b, "+OK\r\n");
	assert_int_equal(resp_put_error(b, "ERR", "Job not found x"), 0);
	is(b, "-ERR Job not found x\r\n");
	assert_int_equal(resp_put_bulk(b, "{\n}", 3), 0);
	is(b, "$3\r\n{\n}\r\n");
	assert_int_equal(resp_put_bulk(b, "", 0), 0);
	is(b, "$0\r\n\r\n");
	assert_int_equal(resp_put_bulk(b, "0123456789", 10), 0);
	is(b, "$10\r\n0123456789\r\n");
	assert_int_equal(resp_put_array(b, SIZE_MAX), 0);
	is(b, "*18446744073709551615\r\n");
	assert_int_equal(resp_put_null(b), 0);
	is(b, "$-1\r\n");
	buf_free(b);
}

static void
an_array_is_walked(void **state)
{
	static const char *const parts[] = { "{\"a\":1}", "", "$3\r\nx" };
	enum { N = sizeof parts / sizeof parts[0] };
	struct buf *b = buf_new(200);
	struct resp r;
	size_t at = 0, len, i = 0;
	const char *text;

	(void)state;
	assert_int_equal(resp_put_array(b, N), 0);
	for (i = 0; i < N; i++)
		assert_int_equal(
		    resp_put_bulk(b, parts[i], strlen(parts[i])), 0);
	assert_int_equal(
	    resp_decode(buf_front(b), buf_len(b), MAX, &r), RESP_OK);
	assert_int_equal(r.kind, RESP_ARRAY);
	assert_int_equal(r.number, N);
	for (i = 0; resp_next(&r, &at, &text, &len); i++) {
		assert_int_equal(len, strlen(parts[i]));
		assert_memory_equal(text, parts[i], len);
	}
	assert_int_equal(i, N);
	buf_free(b);
}

static void
words_cannot_forge_a_reply(void **state)
{
	struct buf *b = buf_new(200);

	(void)state;
	assert_int_equal(resp_put_error(b, "ERR\r", "unknown\r\n+OK\r\n"), 0);
	is(b, "-ERR  unknown  +OK  \r\n");
	assert_int_equal(resp_put_simple(b, "\n"), 0);
	is(b, "+ \r\n");
	buf_free(b);
}

static void
what_is_written_fits_a_line(void **state)
{
	char *text = malloc(RESP_LINE_MAX * 2);
	struct buf *b = buf_new(RESP_LINE_MAX * 2);
	struct resp r;

	(void)state;
	memset(text, 'x', RESP_LINE_MAX * 2 - 1);
	text[RESP_LINE_MAX * 2 - 1] = '\0';
	assert_int_equal(resp_put_error(b, "ERR", text), 0);
	assert_int_equal(buf_len(b), RESP_LINE_MAX);
	assert_int_equal(
	    resp_decode(buf_front(b), buf_len(b), MAX, &r), RESP_OK);
	buf_clear(b);
	assert_int_equal(resp_put_simple(b, text), 0);
	assert_int_equal(buf_len(b), RESP_LINE_MAX);
	buf_free(b);
	free(text);
}

static void
a_full_buffer_is_left_as_it_was(void **state)
{
	(void)state;
	for (size_t max = 4; max < 9; max++) {
		struct buf *b = buf_new(max);

		buf_puts(b, "abcd");
		assert_int_equal(resp_put_simple(b, "OK"), -ENOBUFS);
		assert_int_equal(resp_put_error(b, "ERR", "x"), -ENOBUFS);
		assert_int_equal(resp_put_bulk(b, "", 0), -ENOBUFS);
		assert_int_equal(resp_put_null(b), -ENOBUFS);
		is(b, "abcd");
		buf_free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_cut_off_the_stream),
		cmocka_unit_test(what_cannot_become_a_reply_is_told_apart),
		cmocka_unit_test(a_line_has_a_ceiling),
		cmocka_unit_test(replies_are_written),
		cmocka_unit_test(an_array_is_walked),
		cmocka_unit_test(words_cannot_forge_a_reply),
		cmocka_unit_test(what_is_written_fits_a_line),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
