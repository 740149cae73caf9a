/*
 * What goes in comes out in order, never more than the ceiling is held, and a
 * refused append leaves the buffer as it was.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
is(const struct buf *b, const char *want)
{
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_front(b), want, strlen(want));
}

static void
bytes_come_out_in_the_order_they_went_in(void **state)
{
	struct buf *b = buf_new(100);

	(void)state;
	is(b, "");
	assert_int_equal(buf_append(b, "one", 3), 0);
	assert_int_equal(buf_putc(b, ' '), 0);
	assert_int_equal(buf_puts(b, "two"), 0);
	assert_int_equal(buf_printf(b, " %s %d", "three", 4), 0);
	is(b, "one two three 4");
	buf_drop(b, 4);
	is(b, "two three 4");
	buf_cut(b, 9);
	is(b, "two three");
	buf_clear(b);
	is(b, "");
	buf_free(b);
	buf_free(NULL);
}

static void
past_the_ceiling_nothing_changes(void **state)
{
	struct buf *b = buf_new(8);

	(void)state;
	assert_int_equal(buf_puts(b, "12345678"), 0);
	assert_int_equal(buf_putc(b, '9'), -ENOBUFS);
	assert_int_equal(buf_printf(b, "%d", 9), -ENOBUFS);
	is(b, "12345678");
	buf_drop(b, 3);
	assert_int_equal(buf_puts(b, "9abc"), -ENOBUFS);
	assert_int_equal(buf_puts(b, "9ab"), 0);
	is(b, "456789ab");
	buf_free(b);
}

static void
a_ceiling_of_nothing_holds_nothing(void **state)
{
	struct buf *b = buf_new(0);
	size_t got;

	(void)state;
	assert_int_equal(buf_putc(b, 'x'), -ENOBUFS);
	assert_int_equal(buf_printf(b, "%s", ""), 0);
	assert_null(buf_room(b, 1, &got));
	buf_free(b);
}

static void
room_is_given_up_to_the_ceiling(void **state)
{
	struct buf *b = buf_new(10);
	size_t got = 0;

	(void)state;
	char *at = buf_room(b, 4, &got);
	assert_non_null(at);
	assert_true(got >= 4 && got <= 10);
	memcpy(at, "abcd", 4);
	buf_filled(b, 4);
	is(b, "abcd");

	at = buf_room(b, 100, &got);
	assert_non_null(at);
	assert_int_equal(got, 6);
	memcpy(at, "efghij", 6);
	buf_filled(b, 6);
	is(b, "abcdefghij");
	assert_null(buf_room(b, 1, &got));

	buf_drop(b, 1);
	assert_non_null(buf_room(b, 1, &got));
	assert_int_equal(got, 1);
	buf_free(b);
}

static void
printf_grows_when_it_must(void **state)
{
	struct buf *b = buf_new(5000);
	char want[2001];

	(void)state;
	assert_int_equal(buf_printf(b, "%s", ""), 0);
	assert_int_equal(buf_printf(b, "%02000d", 7), 0);
	memset(want, '0', 1999);
	strcpy(want + 1999, "7");
	is(b, want);
	buf_free(b);
}

/* A long random life beside a plain array that does the same. */
static void
any_order_of_calls_keeps_the_bytes(void **state)
{
	enum { MAX = 3000 };
	struct buf *b = buf_new(MAX);
	char model[MAX], piece[512];
	size_t len = 0;
	unsigned next = 0;

	(void)state;
	srand(7);
	for (int turn = 0; turn < 20000; turn++) {
		size_t n = (size_t)rand() % sizeof piece;

		if (rand() % 2 == 0) {
			for (size_t i = 0; i < n; i++)
				piece[i] = (char)next++;
			int r = buf_append(b, piece, n);
			assert_int_equal(r, n > MAX - len ? -ENOBUFS : 0);
			if (r == 0) {
				memcpy(model + len, piece, n);
				len += n;
			}
		} else {
			n = n < len ? n : len;
			buf_drop(b, n);
			memmove(model, model + n, len - n);
			len -= n;
		}
		assert_int_equal(buf_len(b), len);
		assert_memory_equal(buf_front(b), model, len);
	}
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_in_the_order_they_went_in),
		cmocka_unit_test(past_the_ceiling_nothing_changes),
		cmocka_unit_test(a_ceiling_of_nothing_holds_nothing),
		cmocka_unit_test(room_is_given_up_to_the_ceiling),
		cmocka_unit_test(printf_grows_when_it_must),
		cmocka_unit_test(any_order_of_calls_keeps_the_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
