/*
 * A name finds its thing as long as it is there, and nothing else, however
 * names come and go.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/map.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct thing {
	char name[16];
	size_t len;
	bool present;
	bool seen;
};

static void
an_empty_map_has_nothing(void **state)
{
	struct map *m = map_new();
	size_t cursor = 0;

	(void)state;
	assert_int_equal(map_count(m), 0);
	assert_null(map_get(m, "x", 1));
	assert_null(map_remove(m, "x", 1));
	assert_null(map_next(m, &cursor));
	map_clear(m);
	map_free(m);
	map_free(NULL);
}

static void
names_are_bytes_and_length(void **state)
{
	struct map *m = map_new();
	int a, b, c, d;

	(void)state;
	assert_int_equal(map_put(m, "ab", 2, &a), 0);
	assert_int_equal(map_put(m, "abc", 3, &b), 0);
	assert_int_equal(map_put(m, "a\0b", 3, &c), 0);
	assert_int_equal(map_put(m, "", 0, &d), 0);
	assert_ptr_equal(map_get(m, "ab", 2), &a);
	assert_ptr_equal(map_get(m, "abc", 3), &b);
	assert_ptr_equal(map_get(m, "a\0b", 3), &c);
	assert_ptr_equal(map_get(m, "", 0), &d);
	assert_null(map_get(m, "a", 1));
	map_free(m);
}

static void
a_second_of_a_name_is_refused(void **state)
{
	struct map *m = map_new();
	int a, b;

	(void)state;
	assert_int_equal(map_put(m, "name", 4, &a), 0);
	assert_int_equal(map_put(m, "name", 4, &b), -EEXIST);
	assert_ptr_equal(map_get(m, "name", 4), &a);
	assert_int_equal(map_count(m), 1);
	assert_ptr_equal(map_remove(m, "name", 4), &a);
	assert_int_equal(map_put(m, "name", 4, &b), 0);
	assert_ptr_equal(map_get(m, "name", 4), &b);
	map_free(m);
}

static void
clear_forgets_all(void **state)
{
	struct map *m = map_new();
	int a;

	(void)state;
	map_put(m, "name", 4, &a);
	map_clear(m);
	assert_int_equal(map_count(m), 0);
	assert_null(map_get(m, "name", 4));
	assert_int_equal(map_put(m, "name", 4, &a), 0);
	map_free(m);
}

static void
walk_is_complete(struct map *m, struct thing *things, size_t n)
{
	struct thing *t;
	size_t cursor = 0, count = 0;

	for (size_t i = 0; i < n; i++)
		things[i].seen = false;
	while ((t = map_next(m, &cursor)) != NULL) {
		assert_true(t->present && !t->seen);
		t->seen = true;
		count++;
	}
	assert_int_equal(count, map_count(m));
}

/* Removals must not hide what was put beyond them. */
static void
any_order_of_calls_finds_what_is_there(void **state)
{
	enum { N = 600 };
	struct map *m = map_new();
	struct thing *things = calloc(N, sizeof *things);
	size_t count = 0;

	(void)state;
	srand(3);
	for (size_t i = 0; i < N; i++)
		things[i].len = (size_t)snprintf(
		    things[i].name, sizeof things[i].name, "thing%zu", i);
	for (int turn = 0; turn < 60000; turn++) {
		/* Mostly put first, mostly remove later. */
		struct thing *t = &things[rand() % N];
		bool put = rand() % 4 < (turn / 10000 % 2 == 0 ? 3 : 1);

		if (put) {
			int r = map_put(m, t->name, t->len, t);
			assert_int_equal(r, t->present ? -EEXIST : 0);
			count += !t->present;
			t->present = true;
		} else {
			void *was = map_remove(m, t->name, t->len);
			assert_ptr_equal(was, t->present ? t : NULL);
			count -= t->present;
			t->present = false;
		}
		assert_int_equal(map_count(m), count);
		if (turn % 500 != 0)
			continue;
		for (size_t i = 0; i < N; i++)
			assert_ptr_equal(
			    map_get(m, things[i].name, things[i].len),
			    things[i].present ? &things[i] : NULL);
		walk_is_complete(m, things, N);
	}
	map_free(m);
	free(things);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(names_are_bytes_and_length),
		cmocka_unit_test(a_second_of_a_name_is_refused),
		cmocka_unit_test(clear_forgets_all),
		cmocka_unit_test(any_order_of_calls_finds_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
