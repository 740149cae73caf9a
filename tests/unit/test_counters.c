/*
 * What is told has been written; what could not be is taken back.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/counters.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct counters *cs;

/* ---- a store that keeps what it is given, until it is told what of it ---- */

static struct store_change *given[8];
static size_t ngiven;
static bool others; /* something else is in the batch */

void
store_add(struct store *s, struct store_change *c)
{
	(void)s;
	assert_true(ngiven < 8);
	given[ngiven++] = c;
}

bool
store_is_open(const struct store *s)
{
	(void)s;
	return others || ngiven > 0;
}

static void
store_says(int result)
{
	const struct err why = { .code = -result };
	size_t n = ngiven;

	ngiven = 0;
	for (size_t i = 0; i < n; i++)
		given[i]->done(given[i], result, &why);
}

static int
begin(void **state)
{
	(void)state;
	cs = counters_new();
	counters_load(cs, "processed", 5);
	return cs == NULL;
}

static int
end(void **state)
{
	(void)state;
	counters_free(cs);
	return 0;
}

static void
nothing_is_told_before_it_is_written(void **state)
{
	(void)state;
	counters_begin(cs, COUNT_PROCESSED);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 5);
	counters_begin(cs, COUNT_PROCESSED);
	counters_end(cs, COUNT_PROCESSED, true);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 6);
	counters_end(cs, COUNT_PROCESSED, true);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 7);
	assert_int_equal(counters_total(cs, COUNT_FAILURES), 0);
}

static void
what_was_not_written_has_not_been(void **state)
{
	(void)state;
	counters_begin(cs, COUNT_PROCESSED);
	counters_begin(cs, COUNT_FAILURES);
	counters_end(cs, COUNT_PROCESSED, false);
	counters_end(cs, COUNT_FAILURES, false);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 5);
	assert_int_equal(counters_total(cs, COUNT_FAILURES), 0);
}

static void
what_a_flush_overtakes_leaves_zero(void **state)
{
	(void)state;
	counters_begin(cs, COUNT_PROCESSED);
	counters_clear(cs);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 0);
	counters_end(cs, COUNT_PROCESSED, false);
	assert_int_equal(counters_total(cs, COUNT_PROCESSED), 0);
}

/*
 * A turn of the server's loop follows each answer of the store: what is
 * refused and written again at once would keep a processor busy for as long
 * as the disk says no.
 */
static void
what_the_disk_refused_waits_for_company(void **state)
{
	(void)state;
	others = false;
	counters_begin(cs, COUNT_PROCESSED);
	counters_write(cs, NULL, false);
	assert_int_equal(ngiven, 2); /* the total and today's */
	store_says(-ENOSPC);
	counters_write(cs, NULL, false);
	assert_int_equal(ngiven, 0);
	others = true;
	counters_write(cs, NULL, false);
	assert_int_equal(ngiven, 2);
	store_says(-ENOSPC);
	others = false;
	counters_write(cs, NULL, true);
	assert_int_equal(ngiven, 2);
	store_says(0);
	/* It writes again, and so do we. */
	counters_begin(cs, COUNT_PROCESSED);
	counters_write(cs, NULL, false);
	assert_int_equal(ngiven, 2);
	store_says(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    nothing_is_told_before_it_is_written, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_was_not_written_has_not_been, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_a_flush_overtakes_leaves_zero, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_the_disk_refused_waits_for_company, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
