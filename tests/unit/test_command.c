/*
 * A command line is cut off the stream with all its spaces, in one pass, and
 * a line without end is noticed at the ceiling.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
lines_are_verb_and_argument(void **state)
{
	static const struct {
		const char *bytes, *verb, *arg;
		size_t size;
	} cases[] = {
		{ "INFO\r\n", "INFO", NULL, 6 },
		{ "INFO\nEND\n", "INFO", NULL, 5 },
		{ "FETCH \r\n", "FETCH", "", 8 },
		{ "FETCH a b\r\n", "FETCH", "a b", 11 },
		{ "PUSH  {\"a\": 1} \r\n", "PUSH", " {\"a\": 1} ", 17 },
		{ "\r\n", "", NULL, 2 },
		{ "\n", "", NULL, 1 },
		{ " x\n", "", "x", 3 },
		{ "A b\r\r\n", "A", "b\r", 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct command_line c;
		size_t scanned = 0;

		for (size_t n = 0; n < cases[i].size; n++) {
			assert_int_equal(
			    command_decode(cases[i].bytes, n, 50, &scanned, &c),
			    COMMAND_MORE);
			assert_int_equal(scanned, n);
		}
		assert_int_equal(command_decode(cases[i].bytes,
				     strlen(cases[i].bytes), 50, &scanned, &c),
		    COMMAND_OK);
		assert_int_equal(scanned, 0);
		assert_int_equal(c.size, cases[i].size);
		assert_int_equal(c.verb_len, strlen(cases[i].verb));
		assert_true(command_is(&c, cases[i].verb));
		assert_false(command_is(&c, "INF"));
		assert_false(command_is(&c, "info"));
		if (cases[i].arg == NULL) {
			assert_null(c.arg);
			assert_int_equal(c.arg_len, 0);
			continue;
		}
		assert_int_equal(c.arg_len, strlen(cases[i].arg));
		assert_memory_equal(c.arg, cases[i].arg, c.arg_len);
	}
}

static void
the_ceiling_counts_what_stands_before_the_line_end(void **state)
{
	struct command_line c;
	size_t scanned = 0;

	(void)state;
	assert_int_equal(
	    command_decode("12345", 5, 5, &scanned, &c), COMMAND_MORE);
	assert_int_equal(
	    command_decode("12345\n", 6, 5, &scanned, &c), COMMAND_OK);
	assert_int_equal(
	    command_decode("123456", 6, 5, &scanned, &c), COMMAND_TOO_LONG);
	scanned = 0;
	assert_int_equal(
	    command_decode("123456\n", 7, 5, &scanned, &c), COMMAND_TOO_LONG);
}

static void
is(struct buf *b, const char *want)
{
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_front(b), want, strlen(want));
	buf_clear(b);
}

static void
lines_are_written(void **state)
{
	struct buf *b = buf_new(100);

	(void)state;
	assert_int_equal(command_put(b, "INFO", NULL, 0), 0);
	is(b, "INFO\r\n");
	assert_int_equal(command_put(b, "FETCH", "", 0), 0);
	is(b, "FETCH \r\n");
	assert_int_equal(command_put(b, "PUSH", "{\"a\": 1}xx", 8), 0);
	is(b, "PUSH {\"a\": 1}\r\n");
	buf_free(b);
}

static void
an_argument_cannot_hold_a_line_end(void **state)
{
	struct buf *b = buf_new(100);

	(void)state;
	assert_int_equal(command_put(b, "PUSH", "a\nEND", 5), -EINVAL);
	assert_int_equal(command_put(b, "PUSH", "a\rEND", 5), -EINVAL);
	is(b, "");
	buf_free(b);
}

static void
a_full_buffer_is_left_as_it_was(void **state)
{
	(void)state;
	for (size_t max = 1; max < 9; max++) {
		struct buf *b = buf_new(max);

		buf_putc(b, 'x');
		assert_int_equal(command_put(b, "PUSH", "{}", 2), -ENOBUFS);
		is(b, "x");
		buf_free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_verb_and_argument),
		cmocka_unit_test(
		    the_ceiling_counts_what_stands_before_the_line_end),
		cmocka_unit_test(lines_are_written),
		cmocka_unit_test(an_argument_cannot_hold_a_line_end),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
