/*
 * A server that can is asked for as many jobs as would start at once, from the
 * queues that have a place; any other for one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/fetch_sample.h"

#define OFFERS                                                                 \
	"accept", "> +HI {\"v\":2,\"x\":[\"fetchb\"]}", "< HELLO ", "> +OK"

/* With the first job the queue gets its first place. */
static void
a_queue_without_a_place_is_left_out(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH b",
		"> $5\r\n{one}", "< FETCH a b", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	s.limited = 'a';
	turn_until(s.loop, &s.got);
	s.got = false;
	turn_until(s.loop, &s.got);
	assert_string_equal(s.last, "{two}");
	tear_down(&s);
}

/* One question for as many jobs as there are slots; what came is handed on in
 * order, and what it leaves room for is asked for. */
static void
a_server_that_can_is_asked_for_several(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 5 a b",
		"> *2\r\n$5\r\n{one}\r\n$5\r\n{two}", "< FETCHB 3 a b",
		"> *1\r\n$5\r\n{thr}", "< FETCHB 2 a b", "wait", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 5);
	got(&s, 3);
	assert_string_equal(s.last, "{thr}");
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	ev_run(s.loop, EVRUN_NOWAIT);
	peer_go(&s.peer);
	tear_down(&s);
}

static void
there_is_a_ceiling_and_one_is_a_plain_question(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 16 a b",
		"> *1\r\n$5\r\n{one}", "wait", "< FETCH a b", "> $5\r\n{two}",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	while (fetch_in_flight(s.fetch) == 0)
		ev_run(s.loop, EVRUN_ONCE);
	s.room = 2;
	got(&s, 1);
	peer_go(&s.peer);
	got(&s, 2);
	assert_string_equal(s.last, "{two}");
	tear_down(&s);
}

/*
 * While jobs of one answer are handed on, those behind them have their slots
 * already: nothing more is asked for, however often it is tried.
 */
static void
jobs_that_have_come_are_not_asked_for_again(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 3 a b",
		"> *3\r\n$5\r\n{one}\r\n$5\r\n{two}\r\n$5\r\n{thr}", "wait",
		"< FETCH a b", "> $5\r\n{new}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 3);
	s.greedy = true;
	got(&s, 3);
	assert_int_equal(fetch_asked(s.fetch), 1);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.greedy = false;
	s.room = 1;
	fetch_poke(s.fetch);
	peer_go(&s.peer);
	got(&s, 4);
	tear_down(&s);
}

/* A queue has a limit of its own in the line; one whose jobs may have to wait
 * is asked for one job, so that no more than one does. */
static void
limits_bound_what_is_asked_for(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 6 a:2 b",
		"> *1\r\n$5\r\n{one}", "wait", "< FETCHB 3 a:1 b",
		"> *1\r\n$5\r\n{two}", "wait", "< FETCH a b", "> $5\r\n{thr}",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 6);
	s.limited = 'a';
	s.places = 2;
	while (fetch_in_flight(s.fetch) == 0)
		ev_run(s.loop, EVRUN_ONCE);
	s.narrow = 'b';
	s.sure = 3;
	got(&s, 1);
	s.sure = 0;
	peer_go(&s.peer);
	got(&s, 2);
	peer_go(&s.peer);
	got(&s, 3);
	tear_down(&s);
}

/* More than was asked for would have no slots: it is told, not run. */
static void
more_than_was_asked_for_is_no_answer(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCH a b",
		"> *2\r\n$5\r\n{one}\r\n$5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	assert_int_equal(s.gots, 0);
	tear_down(&s);
}

/* A server that did not name the extension never sees the verb. */
static void
a_stock_server_is_asked_for_one(void **state)
{
	static const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"x\":[\"release\",\"fetch\"]}", "< HELLO ",
		"> +OK", "< FETCH a b", "> $5\r\n{one}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 1);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_without_a_place_is_left_out),
		cmocka_unit_test(a_server_that_can_is_asked_for_several),
		cmocka_unit_test(
		    there_is_a_ceiling_and_one_is_a_plain_question),
		cmocka_unit_test(jobs_that_have_come_are_not_asked_for_again),
		cmocka_unit_test(limits_bound_what_is_asked_for),
		cmocka_unit_test(more_than_was_asked_for_is_no_answer),
		cmocka_unit_test(a_stock_server_is_asked_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
