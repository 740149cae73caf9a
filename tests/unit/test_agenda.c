/*
 * What is due first comes out first, whatever was added or removed between.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/agenda.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct thing {
	struct agenda_item item; /* first: the casts below rely on it */
	int number;
	bool in;
};

static int
by_number(struct agenda_item *a, struct agenda_item *b)
{
	const struct thing *x = (void *)a, *y = (void *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static void
equal_times_come_out_in_their_order(void **state)
{
	struct agenda *a = agenda_new(by_number);
	struct thing things[50];

	(void)state;
	assert_int_equal(agenda_reserve(a, 50), 0);
	for (int i = 0; i < 50; i++) {
		int k = (i * 17) % 50;
		things[k] = (struct thing){ .item.when = 7, .number = k };
		agenda_add(a, &things[k].item);
	}
	for (int i = 0; i < 50; i++) {
		struct agenda_item *first = agenda_first(a);

		assert_ptr_equal(first, &things[i].item);
		agenda_remove(a, first);
	}
	assert_null(agenda_first(a));
	agenda_free(a);
}

static int64_t
earliest(const struct thing *things, size_t n)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < n; i++)
		if (things[i].in && things[i].item.when < least)
			least = things[i].item.when;
	return least;
}

static void
adding_and_removing_at_random_keeps_the_first_first(void **state)
{
	enum { N = 200, STEPS = 20000 };
	struct agenda *a = agenda_new(by_number);
	struct thing things[N] = { 0 };
	uint32_t seed = 12345;
	size_t in = 0;

	(void)state;
	for (int i = 0; i < N; i++)
		things[i].number = i;
	for (int step = 0; step < STEPS; step++) {
		seed = seed * 1664525u + 1013904223u;
		struct thing *t = &things[(seed >> 8) % N];

		if (t->in) {
			agenda_remove(a, &t->item);
			in--;
		} else {
			t->item.when = (int64_t)(seed >> 16) % 64;
			assert_int_equal(agenda_reserve(a, 1), 0);
			agenda_add(a, &t->item);
			in++;
		}
		t->in = !t->in;
		assert_int_equal(agenda_count(a), in);
		if (in > 0)
			assert_int_equal(
			    agenda_first(a)->when, earliest(things, N));
	}
	agenda_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_times_come_out_in_their_order),
		cmocka_unit_test(
		    adding_and_removing_at_random_keeps_the_first_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
