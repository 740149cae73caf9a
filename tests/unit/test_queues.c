/*
 * A queue is first in, first out; a job given back stands where it stood.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/queues.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
expect_order(const struct queue *q, const int64_t *seqs, size_t n)
{
	const struct entry *e = q->head, *prev = NULL;

	assert_int_equal(q->count, n);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(e);
		assert_int_equal(e->seq, seqs[i]);
		assert_ptr_equal(e->line.prev, prev);
		prev = e;
		e = e->line.next;
	}
	assert_null(e);
	assert_ptr_equal(q->tail, prev);
}

static void
jobs_stand_in_the_order_of_their_seq(void **state)
{
	struct queues *qs = queues_new();
	struct queue *q = queues_get(qs, "default", 7);
	struct entry e[6] = { { .seq = 1 }, { .seq = 2 }, { .seq = 3 },
		{ .seq = 4 }, { .seq = 5 }, { .seq = 6 } };

	(void)state;
	for (size_t i = 0; i < 6; i++)
		queue_put(q, &e[i]);
	expect_order(q, (int64_t[]){ 1, 2, 3, 4, 5, 6 }, 6);

	/* Taken at the head, in the middle and at the tail, and given back. */
	queue_drop(q, &e[0]);
	queue_drop(q, &e[1]);
	queue_drop(q, &e[3]);
	queue_drop(q, &e[5]);
	expect_order(q, (int64_t[]){ 3, 5 }, 2);
	queue_put(q, &e[3]);
	queue_put(q, &e[1]);
	queue_put(q, &e[5]);
	queue_put(q, &e[0]);
	expect_order(q, (int64_t[]){ 1, 2, 3, 4, 5, 6 }, 6);

	for (size_t i = 0; i < 6; i++)
		queue_drop(q, &e[i]);
	assert_null(q->head);
	assert_null(q->tail);
	queues_free(qs);
}

/*
 * What workers took turn by turn and give back one worker after the other, in
 * the one order or the other, while some of it is taken again.
 */
static void
many_given_back_stand_as_before(void **state)
{
	enum { WORKERS = 7, EACH = 40, N = WORKERS * EACH };
	struct entry e[N] = { 0 };
	int64_t seqs[N];
	struct queues *qs = queues_new();
	struct queue *q = queues_get(qs, "default", 7);

	(void)state;
	for (int i = 0; i < N; i++) {
		e[i].seq = i + 1;
		seqs[i] = i + 1;
		queue_put(q, &e[i]);
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < N - round; i++)
			queue_drop(q, q->head);
		for (int w = 0; w < WORKERS; w++) {
			for (int i = 0; i < EACH; i++) {
				int k = w % 2 == round % 2 ? i : EACH - 1 - i;
				struct entry *one = &e[k * WORKERS + w];

				if (one->seq <= N - round)
					queue_put(q, one);
			}
			/* The first, and the one that was put last. */
			for (int i = 0; i < 2; i++) {
				struct entry *gone = i == 0 || q->near == NULL
				    ? q->head
				    : q->near;
				queue_drop(q, gone);
				queue_put(q, gone);
			}
		}
		expect_order(q, seqs, N);
	}
	queues_free(qs);
}

/* Rows are found in the order of their ids, and seqs go their own way. */
static void
what_was_loaded_in_any_order_stands_in_that_of_its_seq(void **state)
{
	enum { N = 1000 };
	static struct entry e[N];
	struct queues *qs = queues_new();
	static const char *const names[] = { "up", "down", "late", "shuffled",
		"equal", "one", "none" };
	enum { QUEUES = sizeof names / sizeof names[0] };

	(void)state;
	for (int k = 0; k < QUEUES; k++) {
		struct queue *q = queues_get(qs, names[k], strlen(names[k]));
		const struct entry *prev = NULL;
		int n = k == 6 ? 0 : k == 5 ? 1 : N, seen = 0;

		memset(e, 0, sizeof e);
		for (int i = 0; i < n; i++) {
			const int64_t seq[QUEUES] = { i, -i,
				i % 7 == 3 ? N + i : i, i * 7919 % 1009, i % 5,
				1, 0 };

			e[i].id = i;
			e[i].seq = seq[k];
			queue_load(q, &e[i]);
		}
		queues_loaded(qs);
		for (struct entry *x = q->head; x != NULL; x = x->line.next) {
			assert_ptr_equal(x->line.prev, prev);
			if (prev != NULL)
				assert_true(prev->seq < x->seq ||
				    (prev->seq == x->seq && prev->id < x->id));
			prev = x;
			seen++;
		}
		assert_ptr_equal(q->tail, prev);
		assert_int_equal(seen, n);
		assert_int_equal(q->count, n);
	}
	queues_free(qs);
}

static void
names_are_bytes_and_every_queue_is_found_again(void **state)
{
	struct queues *qs = queues_new();
	size_t cursor = 0, seen = 0;
	char name[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int n = snprintf(name, sizeof name, "q%d", i);
		struct queue *q = queues_get(qs, name, (size_t)n);

		assert_non_null(q);
		assert_string_equal(q->name, name);
		assert_ptr_equal(queues_find(qs, name, (size_t)n), q);
		q->known = i % 2 == 0;
	}
	assert_null(queues_find(qs, "q", 1));
	assert_int_equal(queues_known(qs), 500);
	while (queues_next(qs, &cursor) != NULL)
		seen++;
	assert_int_equal(seen, 1000);
	queues_free(qs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_stand_in_the_order_of_their_seq),
		cmocka_unit_test(many_given_back_stand_as_before),
		cmocka_unit_test(
		    what_was_loaded_in_any_order_stands_in_that_of_its_seq),
		cmocka_unit_test(
		    names_are_bytes_and_every_queue_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
