/*
 * One question waits in the server while there is a slot; jobs that come at
 * once bring more questions, errors bring fewer; nothing is asked without
 * room.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/fetch_sample.h"

/* Else a server that has nothing else is asked as fast as it answers. */
static void
what_is_no_job_is_followed_by_a_rest(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH a b",
		"> $6\r\nno job", "< FETCH a b", "> $3\r\njob", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 5);
	turn_until(s.loop, &s.none);
	int64_t then = s.got_at;
	s.got = false;
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - then >= 900 * CLOCK_NS_PER_MS);
	tear_down(&s);
}

static void
a_job_is_handed_on_and_the_next_asked_for_at_once(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH a b",
		"wait", "> $5\r\n{job}", "< FETCH a b", "> $-1", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 5);
	/* The reservation counts from before the question. */
	while (fetch_in_flight(s.fetch) == 0)
		ev_run(s.loop, EVRUN_ONCE);
	int64_t before = clock_mono();
	peer_go(&s.peer);
	turn_until(s.loop, &s.got);
	assert_string_equal(s.last, "{job}");
	assert_true(s.asked_at <= before);
	turn_until(s.loop, &s.none);
	assert_int_equal(s.gots, 1);
	tear_down(&s);
}

static void
nothing_is_asked_without_room(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $5\r\n{one}", "wait", "< FETCH", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 0);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	ev_run(s.loop, EVRUN_NOWAIT);
	s.room = 1;
	fetch_poke(s.fetch);
	turn_until(s.loop, &s.got);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	assert_true(fetch_asked_since(s.fetch) == INT64_MAX);
	s.got = false;
	s.room = 1;
	int64_t before = clock_mono();
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	assert_true(fetch_asked_since(s.fetch) >= before);
	assert_true(fetch_asked_since(s.fetch) <= clock_mono());
	peer_go(&s.peer);
	turn_until(s.loop, &s.got);
	assert_string_equal(s.last, "{two}");
	tear_down(&s);
}

static void
an_error_is_followed_by_a_pause(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> -ERR context deadline exceeded", "< FETCH", "> $5\r\n{job}",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	int64_t began = clock_mono();
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - began >= CLOCK_NS_PER_S);
	tear_down(&s);
}

static void
an_empty_answer_that_comes_too_soon_is_no_reason_to_hurry(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $-1", "< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	int64_t began = clock_mono();
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - began >= 300 * CLOCK_NS_PER_MS);
	tear_down(&s);
}

static void
a_lost_question_is_asked_again(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"close", "accept", "greet", "< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.got);
	assert_true(s.nones > 0);
	tear_down(&s);
}

/* A password that was refused is asked again after half a minute; when there
 * may be another, at once. */
static void
a_conversation_that_rests_can_be_hurried(void **state)
{
	static const char *const script[] = { "accept", "> +HI {\"v\":2}",
		"< HELLO ", "> -ERR Invalid password", "accept", "greet",
		"< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	int64_t refused = clock_mono();
	fetch_hurry(s.fetch);
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - refused < 25 * CLOCK_NS_PER_S);
	tear_down(&s);
}

static void
jobs_that_come_at_once_open_a_second_conversation(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $5\r\n{job}", "< FETCH", "> $5\r\n{job}", "< FETCH",
		"> $5\r\n{job}", "< FETCH", "> $5\r\n{job}", "accept", "greet",
		"< FETCH", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	while (strcmp(s.last, "{two}") != 0) {
		turn_until(s.loop, &s.got);
		s.got = false;
	}
	assert_int_equal(s.gots, 5);
	tear_down(&s);
}

static void
one_question_waits_when_jobs_are_few(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $5\r\n{job}", "< FETCH", "wait", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	turn_until(s.loop, &s.got);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	ev_run(s.loop, EVRUN_NOWAIT); /* sends it */
	peer_go(&s.peer);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_job_is_followed_by_a_rest),
		cmocka_unit_test(
		    a_job_is_handed_on_and_the_next_asked_for_at_once),
		cmocka_unit_test(nothing_is_asked_without_room),
		cmocka_unit_test(an_error_is_followed_by_a_pause),
		cmocka_unit_test(
		    an_empty_answer_that_comes_too_soon_is_no_reason_to_hurry),
		cmocka_unit_test(a_lost_question_is_asked_again),
		cmocka_unit_test(a_conversation_that_rests_can_be_hurried),
		cmocka_unit_test(
		    jobs_that_come_at_once_open_a_second_conversation),
		cmocka_unit_test(one_question_waits_when_jobs_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
