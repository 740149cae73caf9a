/*
 * The server is told at once, but not for ever at once.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/doubt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
it_is_over_when_it_has_been_told(void **state)
{
	struct doubt d = { 0 };

	(void)state;
	assert_false(doubt_is_due(&d, 0));
	doubt_arise(&d);
	assert_true(doubt_is_due(&d, 0));
	doubt_telling(&d, 0);
	assert_true(doubt_is_due(&d, 0)); /* the reply may be lost */
	doubt_told(&d);
	assert_false(doubt_is_due(&d, INT64_MAX));
}

/* A job that ends every conversation does not keep the others from coming. */
static void
a_row_without_an_answer_is_followed_by_a_pause(void **state)
{
	struct doubt d = { 0 };

	(void)state;
	for (int i = 0; i < DOUBT_ROW; i++) {
		doubt_arise(&d);
		assert_true(doubt_is_due(&d, i));
		doubt_telling(&d, i);
		doubt_told(&d);
	}
	doubt_arise(&d);
	assert_false(doubt_is_due(&d, DOUBT_ROW));
	doubt_answered(&d);
	assert_false(doubt_is_due(&d, DOUBT_PAUSE / 2));
	int64_t later = DOUBT_ROW - 1 + DOUBT_PAUSE;
	assert_true(doubt_is_due(&d, later));
	/* From then on as at first. */
	doubt_telling(&d, later);
	doubt_told(&d);
	doubt_answered(&d);
	doubt_arise(&d);
	assert_true(doubt_is_due(&d, later));
}

static void
answers_in_between_make_no_row(void **state)
{
	struct doubt d = { 0 };

	(void)state;
	for (int i = 0; i < 3 * DOUBT_ROW; i++) {
		doubt_arise(&d);
		assert_true(doubt_is_due(&d, i));
		doubt_telling(&d, i);
		doubt_told(&d);
		doubt_answered(&d);
	}
}

static void
a_refusal_is_followed_by_a_pause(void **state)
{
	struct doubt d = { 0 };

	(void)state;
	doubt_arise(&d);
	doubt_telling(&d, 7);
	doubt_refused(&d);
	assert_false(doubt_is_due(&d, 7));
	doubt_answered(&d);
	assert_false(doubt_is_due(&d, 6 + DOUBT_PAUSE));
	assert_true(doubt_is_due(&d, 7 + DOUBT_PAUSE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_over_when_it_has_been_told),
		cmocka_unit_test(
		    a_row_without_an_answer_is_followed_by_a_pause),
		cmocka_unit_test(answers_in_between_make_no_row),
		cmocka_unit_test(a_refusal_is_followed_by_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
