/*
 * The hash depends on its key and on every byte, and on nothing else.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
same_bytes_under_one_key_hash_the_same(void **state)
{
	const struct siphash_key key = { { 1, 2 } };
	char one[40], two[40];

	(void)state;
	for (size_t len = 0; len + 1 < sizeof one; len++) {
		memset(one, 'a', sizeof one);
		memset(two, 'a', sizeof two);
		one[len] = 'x'; /* behind the end: not looked at */
		assert_int_equal(
		    siphash(&key, one, len), siphash(&key, two, len));
		for (size_t i = 0; i < len; i++) {
			two[i] = 'b';
			assert_int_not_equal(
			    siphash(&key, one, len), siphash(&key, two, len));
			two[i] = 'a';
		}
		assert_int_not_equal(
		    siphash(&key, two, len), siphash(&key, two, len + 1));
	}
}

static void
another_key_gives_another_hash(void **state)
{
	struct siphash_key a, b;

	(void)state;
	assert_int_equal(siphash_key_make(&a), 0);
	assert_int_equal(siphash_key_make(&b), 0);
	assert_memory_not_equal(&a, &b, sizeof a);
	int same = 0;
	for (char c = 'a'; c <= 'z'; c++)
		same += siphash(&a, &c, 1) == siphash(&b, &c, 1);
	assert_in_range(same, 0, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_bytes_under_one_key_hash_the_same),
		cmocka_unit_test(another_key_gives_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
