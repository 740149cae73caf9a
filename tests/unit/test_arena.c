/*
 * A copy stays as it is, whatever is copied after it, until all are dropped.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
copies_stay_while_others_come(void **state)
{
	static const size_t sizes[] = { 0, 1, 300, 65535, 65536, 65537, 200000,
		5 };
	enum { ROUNDS = 40, N = sizeof sizes / sizeof sizes[0] };
	struct arena *a = arena_new();
	char *big = malloc(200000);
	char *copies[ROUNDS][N];
	size_t sum = 0;

	(void)state;
	assert_non_null(a);
	assert_non_null(big);
	for (int r = 0; r < ROUNDS; r++) {
		for (size_t i = 0; i < N; i++) {
			memset(big, 'a' + r % 26, sizes[i]);
			copies[r][i] = arena_copy(a, big, sizes[i]);
			assert_non_null(copies[r][i]);
			sum += sizes[i];
		}
	}
	assert_int_equal(arena_used(a), sum);
	for (int r = 0; r < ROUNDS; r++) {
		for (size_t i = 0; i < N; i++) {
			memset(big, 'a' + r % 26, sizes[i]);
			assert_memory_equal(copies[r][i], big, sizes[i]);
			assert_int_equal(copies[r][i][sizes[i]], '\0');
		}
	}
	free(big);
	arena_free(a);
}

static void
it_is_empty_after_clear_and_can_be_used_again(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		arena_clear(a);
		assert_int_equal(arena_used(a), 0);
		for (int i = 0; i < 5000; i++)
			assert_string_equal(arena_copy(a, "copy", 4), "copy");
		assert_int_equal(arena_used(a), 20000);
	}
	arena_free(a);
	arena_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_stay_while_others_come),
		cmocka_unit_test(it_is_empty_after_clear_and_can_be_used_again),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
