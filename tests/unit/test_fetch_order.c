/*
 * Strict order never changes; weighted order asks every queue each time, and
 * puts each first as often as its weight says.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char a[] = "critical", b[] = "default", c[] = "low";

static const bool all[] = { true, true, true };

static void
is(struct fetch_order *o, const char *want)
{
	struct buf *out = buf_new(1000);

	assert_int_equal(fetch_order_put(o, all, out), 0);
	assert_int_equal(buf_len(out), strlen(want));
	assert_memory_equal(buf_front(out), want, strlen(want));
	buf_free(out);
}

static void
strict_order_is_the_listed_one(void **state)
{
	struct queue_setting queues[] = { { .name = a, .weight = 1 },
		{ .name = b, .weight = 1 }, { .name = c, .weight = 1 } };
	const struct settings s = {
		.queue_order = QUEUES_STRICT, .queues = queues, .nqueues = 3
	};
	struct fetch_order *o = fetch_order_new(&s);

	(void)state;
	for (int i = 0; i < 10; i++)
		is(o, "FETCH critical default low\r\n");
	fetch_order_free(o);
}

static void
weights_say_how_often_a_queue_is_first(void **state)
{
	enum { DRAWS = 20000 };
	struct queue_setting queues[] = { { .name = a, .weight = 6 },
		{ .name = b, .weight = 3 }, { .name = c, .weight = 1 } };
	const struct settings s = {
		.queue_order = QUEUES_WEIGHTED, .queues = queues, .nqueues = 3
	};
	struct fetch_order *o = fetch_order_new(&s);
	struct buf *out = buf_new(1000);
	int first[3] = { 0 };

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		char line[100];

		buf_clear(out);
		assert_int_equal(fetch_order_put(o, all, out), 0);
		memcpy(line, buf_front(out), buf_len(out));
		line[buf_len(out)] = '\0';
		assert_int_equal(
		    strlen(line), strlen("FETCH critical default low\r\n"));
		for (int q = 0; q < 3; q++) {
			const char *at = strstr(line, queues[q].name);

			assert_non_null(at);
			first[q] += at == line + 6;
		}
	}
	/* Five standard deviations around what the weights promise. */
	assert_in_range(first[0], 12000 - 350, 12000 + 350);
	assert_in_range(first[1], 6000 - 325, 6000 + 325);
	assert_in_range(first[2], 2000 - 215, 2000 + 215);
	buf_free(out);
	fetch_order_free(o);
}

static void
what_is_left_out_is_not_asked_for(void **state)
{
	static const bool with[] = { true, false, true };
	struct queue_setting queues[] = { { .name = a, .weight = 1 },
		{ .name = b, .weight = 1 }, { .name = c, .weight = 1 } };
	const struct settings s = { .queues = queues, .nqueues = 3 };
	struct fetch_order *o = fetch_order_new(&s);
	struct buf *out = buf_new(1000);

	(void)state;
	assert_int_equal(fetch_order_put(o, with, out), 0);
	assert_int_equal(buf_len(out), strlen("FETCH critical low\r\n"));
	assert_memory_equal(
	    buf_front(out), "FETCH critical low\r\n", buf_len(out));
	buf_free(out);
	fetch_order_free(o);
}

static void
a_line_that_does_not_fit_leaves_nothing_behind(void **state)
{
	struct queue_setting queues[] = { { .name = a, .weight = 1 } };
	const struct settings s = { .queues = queues, .nqueues = 1 };
	struct fetch_order *o = fetch_order_new(&s);
	struct buf *out = buf_new(10);

	(void)state;
	assert_int_equal(fetch_order_put(o, all, out), -ENOBUFS);
	assert_int_equal(buf_len(out), 0);
	buf_free(out);
	fetch_order_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_order_is_the_listed_one),
		cmocka_unit_test(weights_say_how_often_a_queue_is_first),
		cmocka_unit_test(what_is_left_out_is_not_asked_for),
		cmocka_unit_test(
		    a_line_that_does_not_fit_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
