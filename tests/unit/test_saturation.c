/*
 * Only programs that have used the processors themselves, and lately, and of
 * which enough are at work, are a reason to wait.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/saturation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PROCESSORS = 4, ENOUGH = 2 * PROCESSORS };

#define BEGIN (1000 * CLOCK_NS_PER_S)

static struct saturation
of_four(void)
{
	struct saturation s;

	saturation_init(&s);
	assert_true(s.processors >= 1);
	s.processors = PROCESSORS;
	s.began = BEGIN;
	return s;
}

/* n of them, each with half of it in the kernel; the last one ends at `at`. */
static void
ended(struct saturation *s, int n, int64_t microseconds, int64_t at)
{
	struct rusage u = { .ru_utime.tv_sec = microseconds / 2 / 1000000,
		.ru_utime.tv_usec = microseconds / 2 % 1000000 };

	u.ru_stime = u.ru_utime;
	for (int i = 1; i <= n; i++)
		saturation_note(s, &u, i == n ? at : s->began);
}

static void
half_of_all_processors_is_enough(void **state)
{
	const int64_t end = BEGIN + SATURATION_WINDOW;

	(void)state;
	for (int used = 40; used <= 60; used += 10) {
		struct saturation s = of_four();

		/* So many per cent of 4 processors for 100 ms. */
		ended(&s, 100, used * 40, end - 1);
		assert_false(saturation_is_high(&s, ENOUGH, end - 1));
		ended(&s, 1, 0, end);
		assert_true(
		    saturation_is_high(&s, ENOUGH, end) == (used >= 50));
	}
}

static void
an_idle_processor_gets_work_at_once(void **state)
{
	const int64_t end = BEGIN + SATURATION_WINDOW;
	struct saturation s = of_four();

	(void)state;
	ended(&s, 100, 4000, end - 1);
	ended(&s, 1, 0, end);
	assert_true(saturation_is_high(&s, ENOUGH, end));
	assert_false(saturation_is_high(&s, ENOUGH - 1, end));
	assert_false(saturation_is_high(&s, 0, end));
}

/* The window that was busy is long ago, or lasted much longer. */
static void
what_was_is_forgotten(void **state)
{
	const int64_t end = BEGIN + SATURATION_WINDOW;
	struct saturation s = of_four();

	(void)state;
	ended(&s, 100, 4000, end - 1);
	ended(&s, 1, 0, end);
	assert_true(
	    saturation_is_high(&s, ENOUGH, end + 2 * SATURATION_WINDOW - 1));
	assert_false(
	    saturation_is_high(&s, ENOUGH, end + 2 * SATURATION_WINDOW));

	ended(&s, 100, 4000, end + 1);
	ended(&s, 1, 0, end + 10 * SATURATION_WINDOW);
	assert_false(
	    saturation_is_high(&s, ENOUGH, end + 10 * SATURATION_WINDOW));
}

/* An hour of one processor does not say what was used in this window. */
static void
a_long_program_counts_with_a_window(void **state)
{
	const int64_t end = BEGIN + SATURATION_WINDOW;
	struct saturation s = of_four();

	(void)state;
	ended(&s, 1, INT64_C(3600) * 1000000, end - 1);
	ended(&s, 1, 0, end);
	assert_false(saturation_is_high(&s, ENOUGH, end));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_of_all_processors_is_enough),
		cmocka_unit_test(an_idle_processor_gets_work_at_once),
		cmocka_unit_test(what_was_is_forgotten),
		cmocka_unit_test(a_long_program_counts_with_a_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
