/*
 * What HELD says: its jids in their order, and one message for what it is not.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/job.h"

static void
jids_are_read_in_order(void **state)
{
	static const char text[] =
	    " {\"wid\":1,\"jids\":[\"one\",\"\",\"t\\u0077o\"],\"x\":{}} ";
	static const char *const wanted[] = { "one", "", "two" };
	char jid[JOB_JID_MAX];
	struct held h;

	(void)state;
	assert_int_equal(held_read(text, strlen(text), &h, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(held_next(&h, jid), strlen(wanted[i]));
		assert_memory_equal(jid, wanted[i], strlen(wanted[i]));
	}
	assert_int_equal(held_next(&h, jid), -1);
	assert_int_equal(held_next(&h, jid), -1);
}

static void
what_is_none_is_told(void **state)
{
	static const char shape[] = "expected an object with an array of jids";
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "byte 0: " },
		{ "{\"jids\":[]", "byte 10: " },
		{ "[]", shape },
		{ "{}", shape },
		{ "{\"jids\":\"a\"}", shape },
		{ "{\"jids\":[],\"jids\":1}", shape },
		{ "{\"jids\":[\"a\",1]}", "jids: element 2 is no string" },
		{ "{\"jids\":[[\"a\"]]}", "jids: element 1 is no string" },
	};
	struct held h;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *text = cases[i].text, *why = cases[i].why;

		assert_int_equal(
		    held_read(text, strlen(text), &h, &e), -EINVAL);
		assert_memory_equal(e.text, why, strlen(why));
	}
}

/* n jids of `len` bytes. Owned by the caller. */
static char *
many(size_t n, size_t len, size_t *size)
{
	struct buf *b = buf_new(1 << 30);
	char *jid = calloc(1, len + 1), *text;

	assert_non_null(b);
	assert_non_null(jid);
	memset(jid, 'j', len);
	assert_int_equal(held_put_begin(b), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(held_put_jid(b, jid, len), 0);
	assert_int_equal(held_put_end(b), 0);
	buf_drop(b, strlen("HELD "));
	*size = buf_len(b) - strlen("\r\n");
	text = malloc(*size);
	assert_non_null(text);
	memcpy(text, buf_front(b), *size);
	free(jid);
	buf_free(b);
	return text;
}

static void
it_has_ceilings(void **state)
{
	static const struct {
		size_t n, len;
		int result;
	} cases[] = {
		{ 0, 0, 0 },
		{ HELD_JIDS_MAX, 8, 0 },
		{ HELD_JIDS_MAX + 1, 8, -EINVAL },
		{ 3, JOB_JID_MAX, 0 },
		{ 3, JOB_JID_MAX + 1, -EINVAL },
	};
	char jid[JOB_JID_MAX];
	struct held h;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t size, seen = 0;
		char *text = many(cases[i].n, cases[i].len, &size);

		assert_int_equal(
		    held_read(text, size, &h, NULL), cases[i].result);
		while (cases[i].result == 0 && held_next(&h, jid) >= 0)
			seen++;
		assert_int_equal(seen, cases[i].result == 0 ? cases[i].n : 0);
		free(text);
	}
}

static void
a_line_is_written(void **state)
{
	struct buf *b = buf_new(1000);

	(void)state;
	assert_non_null(b);
	assert_int_equal(held_put_begin(b), 0);
	assert_int_equal(held_put_jid(b, "a\"[", 3), 0);
	assert_int_equal(held_put_jid(b, "b", 1), 0);
	assert_int_equal(held_put_end(b), 0);
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(
	    buf_front(b), "HELD {\"jids\":[\"a\\\"[\",\"b\"]}\r\n");
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jids_are_read_in_order),
		cmocka_unit_test(what_is_none_is_told),
		cmocka_unit_test(it_has_ceilings),
		cmocka_unit_test(a_line_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
