/*
 * Turns go by weight: exact over a round, even within it, none starves, and
 * whoever was away has nothing saved up.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { QUEUES = 3 };
static char names[QUEUES][2] = { "a", "b", "c" };

static struct queues *
make(const int64_t weights[QUEUES], struct queue *out[QUEUES])
{
	struct queue_weight each[QUEUES];
	const struct queue_weights w = { each, QUEUES };
	struct queues *qs = queues_new();

	assert_non_null(qs);
	for (int i = 0; i < QUEUES; i++)
		each[i] = (struct queue_weight){ names[i], weights[i] };
	assert_int_equal(weights_set(qs, &w), 0);
	for (int i = 0; i < QUEUES; i++)
		out[i] = queues_find(qs, names[i], 1);
	return qs;
}

static void
a_round_is_exact_and_even(void **state)
{
	const int64_t weights[QUEUES] = { 5, 2, 1 };
	struct queue *q[QUEUES];
	struct queues *qs = make(weights, q);
	char turns[25] = "";

	(void)state;
	for (int i = 0; i < 24; i++)
		turns[i] = weights_next(q, QUEUES)->name[0];
	assert_string_equal(turns, "abaacabaabaacabaabaacaba");
	queues_free(qs);
}

/* The order of asking is not what decides. */
static void
shuffling_changes_no_proportion(void **state)
{
	const int64_t weights[QUEUES] = { 7, 2, 1 };
	struct queue *q[QUEUES], *mixed[QUEUES];
	struct queues *qs = make(weights, q);
	int served[QUEUES] = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++) {
		for (int k = 0; k < QUEUES; k++)
			mixed[k] = q[(k * (1 + i % 2) + i / 3) % QUEUES];
		served[weights_next(mixed, QUEUES)->name[0] - 'a']++;
	}
	assert_int_equal(served[0], 7000);
	assert_int_equal(served[1], 2000);
	assert_int_equal(served[2], 1000);
	queues_free(qs);
}

/* Nobody waits longer than a round, whoever comes and goes beside it. */
static void
none_starves_and_none_saves_up(void **state)
{
	const int64_t weights[QUEUES] = { 1000, 10, 1 };
	struct queue *q[QUEUES];
	struct queues *qs = make(weights, q);
	unsigned seed = 1;
	int since = 0, most = 0;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		struct queue *ready[QUEUES] = { q[2] };
		size_t n = 1;

		seed = seed * 1103515245 + 12345;
		for (int k = 0; k < 2; k++)
			if ((seed >> (16 + k) & 1) != 0 || i < 20000)
				ready[n++] = q[k];
		since = weights_next(ready, n) == q[2] ? 0 : since + 1;
		most = since > most ? since : most;
		for (int k = 0; k < QUEUES; k++)
			assert_true(llabs(q[k]->credit) <= 2 * 1011);
	}
	assert_true(most <= 1011);
	/* b alone for long, then with a: no debt, and nothing owed. */
	for (int i = 0; i < 5000; i++)
		(void)weights_next(&q[1], 1);
	int b = 0;
	for (int i = 0; i < 1010; i++)
		b += weights_next(q, 2) == q[1];
	assert_true(b >= 8 && b <= 12);
	queues_free(qs);
}

static void
weights_can_be_taken_away(void **state)
{
	const int64_t weights[QUEUES] = { 5, 2, 1 };
	struct queue *q[QUEUES];
	struct queues *qs = make(weights, q);
	const struct queue_weights none = { 0 };

	(void)state;
	(void)weights_next(q, QUEUES);
	assert_int_equal(weights_set(qs, &none), 0);
	for (int i = 0; i < QUEUES; i++) {
		assert_int_equal(q[i]->weight, 0);
		assert_int_equal(q[i]->credit, 0);
	}
	assert_int_equal(queues_known(qs), 0);
	queues_free(qs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_is_exact_and_even),
		cmocka_unit_test(shuffling_changes_no_proportion),
		cmocka_unit_test(none_starves_and_none_saves_up),
		cmocka_unit_test(weights_can_be_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
