/*
 * Strict order never changes; weighted order asks every queue each time, and
 * puts each first as often as its weight says.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char a[] = "critical", b[] = "default", c[] = "low";

static const size_t all[] = { SIZE_MAX, SIZE_MAX, SIZE_MAX };

static void
is(struct fetch_order *o, const char *want)
{
	struct buf *out = buf_new(1000);

	assert_int_equal(fetch_order_put(o, 1, all, out), 0);
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
		assert_int_equal(fetch_order_put(o, 1, all, out), 0);
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
	static const size_t with[] = { 2, 0, SIZE_MAX };
	struct queue_setting queues[] = { { .name = a, .weight = 1 },
		{ .name = b, .weight = 1 }, { .name = c, .weight = 1 } };
	const struct settings s = { .queues = queues, .nqueues = 3 };
	struct fetch_order *o = fetch_order_new(&s);
	struct buf *out = buf_new(1000);

	(void)state;
	assert_int_equal(fetch_order_put(o, 1, with, out), 0);
	assert_int_equal(buf_len(out), strlen("FETCH critical low\r\n"));
	assert_memory_equal(
	    buf_front(out), "FETCH critical low\r\n", buf_len(out));
	buf_free(out);
	fetch_order_free(o);
}

/* What several jobs are asked for with; a limit that cannot matter is left
 * out. */
static void
several_jobs_name_the_limits_of_queues(void **state)
{
	static const size_t with[] = { 2, 5, SIZE_MAX };
	struct queue_setting queues[] = { { .name = a, .weight = 1 },
		{ .name = b, .weight = 1 }, { .name = c, .weight = 1 } };
	const struct settings s = { .queues = queues, .nqueues = 3 };
	struct fetch_order *o = fetch_order_new(&s);
	struct buf *out = buf_new(1000);
	static const char want[] = "FETCHB 5 critical:2 default low\r\n";

	(void)state;
	assert_int_equal(fetch_order_put(o, 5, with, out), 0);
	assert_int_equal(buf_len(out), strlen(want));
	assert_memory_equal(buf_front(out), want, strlen(want));
	buf_free(out);
	fetch_order_free(o);
}

/*
 * Jobs that come together are dealt out as those that are asked for one by
 * one; and every queue is named, so that none that is full has to wait for
 * others.
 */
static void
weights_hold_among_jobs_that_come_together(void **state)
{
	enum { DRAWS = 5000, JOBS = 4 };
	struct queue_setting queues[] = { { .name = a, .weight = 3 },
		{ .name = b, .weight = 1 }, { .name = c, .weight = 50 } };
	static const size_t with[] = { SIZE_MAX, SIZE_MAX, 0 };
	const struct settings s = {
		.queue_order = QUEUES_WEIGHTED, .queues = queues, .nqueues = 3
	};
	struct fetch_order *o = fetch_order_new(&s);
	struct buf *out = buf_new(1000);
	size_t first = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		char line[100], one[20], two[20];
		size_t dealt[2] = { JOBS, JOBS };
		bool turned;

		buf_clear(out);
		assert_int_equal(fetch_order_put(o, JOBS, with, out), 0);
		memcpy(line, buf_front(out), buf_len(out));
		line[buf_len(out)] = '\0';
		assert_int_equal(
		    sscanf(line, "FETCHB 4 %19s %19s\r\n", one, two), 2);
		turned = one[0] == 'd';
		if (strchr(one, ':') != NULL)
			dealt[0] = strtoul(strchr(one, ':') + 1, NULL, 10);
		dealt[1] = strtoul(strchr(two, ':') + 1, NULL, 10);
		assert_int_equal(strncmp(turned ? two : one, a, strlen(a)), 0);
		assert_true(dealt[0] + dealt[1] == JOBS ||
		    (dealt[0] == JOBS && dealt[1] == 1));
		first += turned ? JOBS - dealt[0] : dealt[0];
	}
	/* Five standard deviations around three quarters. */
	assert_in_range(first, 15000 - 310, 15000 + 310);
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
	assert_int_equal(fetch_order_put(o, 1, all, out), -ENOBUFS);
	assert_int_equal(buf_len(out), 0);
	assert_int_equal(fetch_order_put(o, 3, all, out), -ENOBUFS);
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
		cmocka_unit_test(several_jobs_name_the_limits_of_queues),
		cmocka_unit_test(weights_hold_among_jobs_that_come_together),
		cmocka_unit_test(
		    a_line_that_does_not_fit_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
