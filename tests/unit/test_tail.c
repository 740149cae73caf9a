/*
 * tail: however a stream arrives, what is kept is exactly its last bytes.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
nothing_added_is_nothing_kept(void **state)
{
	struct tail *t = tail_new(10);
	size_t len = 99;

	(void)state;
	assert_non_null(t);
	assert_non_null(tail_bytes(t, &len));
	assert_int_equal(len, 0);
	tail_add(t, "", 0);
	assert_non_null(tail_bytes(t, &len));
	assert_int_equal(len, 0);
	tail_free(t);
	tail_free(NULL);
}

static void
the_oldest_bytes_go_first(void **state)
{
	static const struct {
		const char *parts[4];
		const char *want;
	} cases[] = {
		{ { "abc" }, "abc" },
		{ { "abcde" }, "abcde" },
		{ { "abcdef" }, "bcdef" },
		{ { "abc", "de" }, "abcde" },
		{ { "abc", "def" }, "bcdef" },
		{ { "abcde", "f", "g" }, "cdefg" },
		{ { "a", "bcdefghijkl" }, "hijkl" },
		{ { "abcdefg", "", "h" }, "defgh" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tail *t = tail_new(5);
		size_t len;

		assert_non_null(t);
		for (size_t k = 0; k < 4 && cases[i].parts[k] != NULL; k++)
			tail_add(
			    t, cases[i].parts[k], strlen(cases[i].parts[k]));
		const char *got = tail_bytes(t, &len);
		assert_int_equal(len, strlen(cases[i].want));
		assert_memory_equal(got, cases[i].want, len);
		tail_free(t);
	}
}

/* Looking straightens the ring; that must not disturb what comes later. */
static void
any_fragmentation_with_looks_between_keeps_the_last_bytes(void **state)
{
	enum { TOTAL = 20000, MAX = 3000 };
	static char stream[TOTAL];

	(void)state;
	srandom(1);
	for (size_t i = 0; i < TOTAL; i++)
		stream[i] = (char)random();
	for (int round = 0; round < 50; round++) {
		struct tail *t = tail_new(MAX);
		size_t at = 0, len;
		size_t most = 1 + (size_t)random() % 4000;

		assert_non_null(t);
		while (at < TOTAL) {
			size_t n = (size_t)random() % most + 1;

			if (n > TOTAL - at)
				n = TOTAL - at;
			tail_add(t, stream + at, n);
			at += n;
			if (random() % 3 != 0)
				continue;
			size_t want = at < MAX ? at : MAX;
			const char *got = tail_bytes(t, &len);
			assert_int_equal(len, want);
			assert_memory_equal(got, stream + at - want, want);
		}
		const char *got = tail_bytes(t, &len);
		assert_int_equal(len, MAX);
		assert_memory_equal(got, stream + TOTAL - MAX, MAX);
		tail_free(t);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_added_is_nothing_kept),
		cmocka_unit_test(the_oldest_bytes_go_first),
		cmocka_unit_test(
		    any_fragmentation_with_looks_between_keeps_the_last_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
