/*
 * A program is dead before the reservation of its job ends, whatever the
 * handler's settings say.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define S CLOCK_NS_PER_S

static void
deadlines_leave_room_for_grace_and_report(void **state)
{
	static const struct {
		int64_t reserve_for, timeout, grace; /* seconds */
		int64_t started;                     /* after the asking */
		int64_t deadline, used_grace;        /* expected */
	} cases[] = {
		/* no timeout: the reservation less grace less 5 s */
		{ 0, 0, 10, 0, 1785, 10 },
		{ 600, 0, 10, 0, 585, 10 },
		/* what the server clamps, we clamp */
		{ 5, 0, 10, 0, 45, 10 },
		{ 100000, 0, 10, 0, 86385, 10 },
		/* a timeout counts from the start of the program */
		{ 600, 30, 10, 0, 30, 10 },
		{ 600, 30, 10, 2, 32, 10 },
		{ 600, 30, 10, 570, 585, 10 },
		{ 600, 9000, 10, 0, 585, 10 },
		/* a grace that does not fit is shortened to half */
		{ 60, 0, 60, 0, 27, 27 },
		{ 600, 0, 3600, 0, 297, 297 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct handler how = { .timeout = cases[i].timeout * S,
			.grace = cases[i].grace * S };
		const struct job job = { .reserve_for = cases[i].reserve_for };
		const int64_t asked = 1000 * S;
		struct timeline t = timeline_make(&job, &how, asked);
		int64_t deadline =
		    timeline_deadline(&t, &how, asked + cases[i].started * S);

		assert_int_equal((deadline - asked) / S, cases[i].deadline);
		assert_int_equal(t.grace / S, cases[i].used_grace);
		assert_true(deadline + t.grace + TIMELINE_RESERVE <= t.expires);
		assert_int_equal(t.expires, asked + job_reservation(&job) * S);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_leave_room_for_grace_and_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
