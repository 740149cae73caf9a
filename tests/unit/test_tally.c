/*
 * Jobs are counted by jobtype, all of them at any time, and strangers' names
 * cost no more memory than was promised.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint16_t
enter(struct tally *t, const char *name)
{
	return tally_enter(t, name, strlen(name));
}

static void
says(const struct tally *t, const char *want)
{
	struct buf *out = buf_new(1 << 20);

	assert_int_equal(tally_put(t, out), 0);
	assert_int_equal(buf_putc(out, '\0'), 0);
	assert_string_equal(buf_front(out), want);
	buf_free(out);
}

static void
jobs_are_counted_as_they_come_and_go(void **state)
{
	struct tally *t = tally_new();

	(void)state;
	says(t, "{\"jobtypes\":{},\"others\":0}");
	uint16_t a = enter(t, "a"), b = enter(t, "b");
	assert_int_equal(enter(t, "a"), a);
	assert_int_not_equal(a, b);
	says(t, "{\"jobtypes\":{\"a\":2,\"b\":1},\"others\":0}");
	tally_leave(t, a);
	tally_leave(t, b);
	says(t, "{\"jobtypes\":{\"a\":1},\"others\":0}");
	/* A name is that name again. */
	assert_int_equal(enter(t, "b"), b);
	says(t, "{\"jobtypes\":{\"a\":1,\"b\":1},\"others\":0}");
	tally_free(t);
	tally_free(NULL);
}

static void
names_are_bytes_and_whole(void **state)
{
	struct tally *t = tally_new();

	(void)state;
	enter(t, "a\"b");
	enter(t, "ab");
	enter(t, "abc");
	enter(t, "");
	says(t,
	    "{\"jobtypes\":{\"a\\\"b\":1,\"ab\":1,\"abc\":1,\"\":1},"
	    "\"others\":0}");
	tally_free(t);
}

static void
what_is_too_long_counts_with_the_others(void **state)
{
	struct tally *t = tally_new();
	char name[TALLY_NAME_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof name);
	assert_int_equal(tally_enter(t, name, sizeof name), TALLY_REST);
	assert_int_not_equal(tally_enter(t, name, TALLY_NAME_MAX), TALLY_REST);
	tally_leave(t, TALLY_REST);
	char want[TALLY_NAME_MAX + 64];
	snprintf(want, sizeof want, "{\"jobtypes\":{\"%.*s\":1},\"others\":0}",
	    TALLY_NAME_MAX, name);
	says(t, want);
	tally_free(t);
}

/* Whoever pushes a job of a new type each time fills nothing up for good. */
static void
numbers_are_given_anew(void **state)
{
	struct tally *t = tally_new();
	uint16_t number[TALLY_TYPES_MAX];
	char name[32];

	(void)state;
	uint16_t kept = enter(t, "kept");
	for (int i = 0; i < 3 * TALLY_TYPES_MAX; i++) {
		snprintf(name, sizeof name, "passing-%d", i);
		uint16_t n = enter(t, name);
		assert_int_not_equal(n, TALLY_REST);
		assert_int_not_equal(n, kept);
		tally_leave(t, n);
	}
	says(t, "{\"jobtypes\":{\"kept\":1},\"others\":0}");
	for (int i = 0; i < TALLY_TYPES_MAX - 1; i++) {
		snprintf(name, sizeof name, "staying-%d", i);
		number[i] = enter(t, name);
		assert_int_not_equal(number[i], TALLY_REST);
	}
	/* All are taken; what is known goes on being counted. */
	assert_int_equal(enter(t, "one more"), TALLY_REST);
	assert_int_equal(enter(t, "kept"), kept);
	tally_leave(t, number[7]);
	assert_int_equal(enter(t, "one more"), number[7]);
	for (int i = 0; i < TALLY_TYPES_MAX - 1; i++)
		tally_leave(t, number[i]);
	says(t, "{\"jobtypes\":{\"kept\":2},\"others\":1}");
	tally_free(t);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_are_counted_as_they_come_and_go),
		cmocka_unit_test(names_are_bytes_and_whole),
		cmocka_unit_test(what_is_too_long_counts_with_the_others),
		cmocka_unit_test(numbers_are_given_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
