/*
 * A server that takes it is told which jobs are here before the first question
 * and after a lost one, and is asked for nothing until then; a refusal stops
 * nothing.
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

#define OFFERS_HELD "> +HI {\"v\":2,\"x\":[\"held\"]}", "< HELLO ", "> +OK"

/* A process does not know what one before it of the same name has left. */
static void
what_is_here_is_told_before_the_first_question(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD,
		"< HELD {\"jids\":[\"0\"]}", "> +OK", "< FETCH a b",
		"> $5\r\n{one}", "< FETCH a b", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 2);
	tear_down(&s);
}

/* A conversation that ends without a question is taken up without it. */
static void
what_is_here_is_told_after_a_lost_question(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "< HELD ",
		"> +OK", "< FETCH", "> $5\r\n{one}", "< FETCH", "close",
		"accept", OFFERS_HELD, "< HELD {\"jids\":[\"1\"]}", "close",
		"accept", OFFERS_HELD, "< HELD {\"jids\":[\"1\"]}", "> +OK",
		"< FETCH", "> $5\r\n{two}", "wait", "close", "accept",
		OFFERS_HELD, "< FETCH", "> $5\r\n{tri}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 2);
	got(&s, 2);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.none = false;
	peer_go(&s.peer);
	turn_until(s.loop, &s.none);
	s.room = 1;
	got(&s, 3);
	tear_down(&s);
}

/* What it brings belongs to what is here. */
static void
an_open_question_is_waited_for(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "< HELD ",
		"> +OK", "< FETCH", "> $5\r\n{job}", "< FETCH", "> $5\r\n{job}",
		"< FETCH", "> $5\r\n{job}", "< FETCH", "> $5\r\n{job}",
		"< FETCH", "also", OFFERS_HELD, "< FETCH", "close", "swap",
		"wait", "> $5\r\n{end}", "< HELD {\"jids\":[\"5\"]}", "> +OK",
		"< FETCH", "> $5\r\n{new}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 4);
	s.none = false;
	turn_until(s.loop, &s.none);
	assert_int_equal(s.gots, 4);
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	assert_false(fetch_is_telling(s.fetch));
	peer_go(&s.peer);
	s.got = false;
	got(&s, 6);
	assert_string_equal(s.last, "{new}");
	tear_down(&s);
}

/* Neither that nor anything else is asked for while it must not be said. */
static void
nothing_is_asked_until_it_may_be_told(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "wait",
		"< HELD ", "> +OK", "< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	s.secretive = true;
	/* Until it is connected, and no further. */
	while (!s.asked_to_tell)
		ev_run(s.loop, EVRUN_ONCE);
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.secretive = false;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	assert_true(fetch_is_telling(s.fetch));
	peer_go(&s.peer);
	got(&s, 1);
	tear_down(&s);
}

/* Jobs are asked for all the same, and not each time after it. */
static void
a_refusal_stops_nothing(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "< HELD ",
		"> -ERR not written to disk: full", "< FETCH", "> $5\r\n{one}",
		"< FETCH", "close", "accept", OFFERS_HELD, "< FETCH",
		"> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 2);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_is_here_is_told_before_the_first_question),
		cmocka_unit_test(what_is_here_is_told_after_a_lost_question),
		cmocka_unit_test(an_open_question_is_waited_for),
		cmocka_unit_test(nothing_is_asked_until_it_may_be_told),
		cmocka_unit_test(a_refusal_stops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
