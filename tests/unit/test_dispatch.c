/*
 * Every job that is taken up has a slot until its end, which comes sooner when
 * it is cancelled, lost or interrupted; its slot and its directory come back.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/dispatch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/dispatch_sample.h"
#include "tests/unit/heard_log.h"

static void
a_slot_is_taken_until_the_program_has_ended(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ACK",
		"< ACK", "< ACK", "> +OK", "> +OK", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	assert_int_equal(dispatch_room(s.dispatch), 4);
	for (size_t i = 1; i <= 3; i++) {
		take(&s, "ok", "");
		assert_int_equal(dispatch_room(s.dispatch), 4 - i);
	}
	turn_until(s.loop, &s.none_left);
	assert_int_equal(dispatch_room(s.dispatch), 4);
	tear_down(&s);
}

static void
a_full_handler_holds_its_jobs_and_stops_the_asking(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ACK",
		"< ACK", "< ACK", "> +OK", "> +OK", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	int64_t began = clock_mono();
	take(&s, "one", "");
	take(&s, "one", "");
	assert_int_equal(dispatch_held(s.dispatch), 1);
	assert_int_equal(dispatch_room(s.dispatch), 2);
	take(&s, "one", "");
	assert_int_equal(dispatch_held(s.dispatch), 2);
	assert_int_equal(dispatch_room(s.dispatch), 0);
	turn_until(s.loop, &s.none_left);
	assert_true(clock_mono() - began >= 145 * CLOCK_NS_PER_MS);
	assert_int_equal(dispatch_held(s.dispatch), 0);
	tear_down(&s);
}

static void
interrupted_jobs_fail_as_shutdown(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("Shutdown", ""), FAIL("Shutdown", ""), "> +OK", "> +OK",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "hang", "");
	dispatch_interrupt(s.dispatch);
	take(&s, "ok", "");
	assert_int_equal(dispatch_room(s.dispatch), 0);
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

static void
held_jobs_fail_as_shutdown_without_being_run(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("Shutdown", "the worker is shutting down"), "< ", "> +OK",
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "one", "");
	take(&s, "one", "");
	dispatch_interrupt(s.dispatch);
	assert_int_equal(dispatch_held(s.dispatch), 0);
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

static void
kill_does_not_wait_for_the_grace(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("Shutdown", ""), "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "stubborn", "");
	int64_t began = clock_mono();
	dispatch_interrupt(s.dispatch);
	dispatch_kill(s.dispatch);
	turn_until(s.loop, &s.none_left);
	assert_true(clock_mono() - began < 20 * CLOCK_NS_PER_S);
	tear_down(&s);
}

static void
cancelled_jobs_fail_as_such_running_or_held(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("Cancelled", "stopped after "), "> +OK",
		FAIL("Cancelled", "cancelled before it was run\""), "> +OK",
		"< ACK {\"jid\":\"job-0002\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	assert_int_equal(
	    dispatch_cancel(s.dispatch, "job-0001", CANCEL_USER), -ENOENT);
	take(&s, "hang", "");
	assert_int_equal(
	    dispatch_cancel(s.dispatch, "job-0001", CANCEL_SERVER), 0);
	turn_until(s.loop, &s.none_left);

	take_as(&s, "job-0002", "one", "");
	take(&s, "one", "");
	assert_int_equal(dispatch_held(s.dispatch), 1);
	assert_int_equal(
	    dispatch_cancel(s.dispatch, "job-0001", CANCEL_USER), 0);
	assert_int_equal(dispatch_held(s.dispatch), 0);
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

static void
a_lost_job_is_killed_at_once_and_not_spoken_of(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ACK",
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "stubborn", "");
	int64_t began = clock_mono();
	assert_int_equal(
	    dispatch_cancel(s.dispatch, "job-0001", CANCEL_LOST), 0);
	assert_int_equal(
	    dispatch_cancel(s.dispatch, "job-0001", CANCEL_LOST), -ENOENT);
	while (dispatch_busy(s.dispatch) > 0)
		ev_run(s.loop, EVRUN_ONCE);
	assert_true(clock_mono() - began < 20 * CLOCK_NS_PER_S);
	assert_int_equal(dispatch_lost(s.dispatch), 1);
	take(&s, "ok", "");
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

/* Also in another lane: the same job never runs twice at once. */
static void
a_job_that_comes_again_waits_for_the_end_of_its_last_run(void **state)
{
	static const char *const again[] = { "fast", "ok" };
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-000", "> +OK", "< ACK {\"jid\":\"job-000",
		"> +OK", NULL };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sample s;

		set_up(&s, script);
		take(&s, "fast", ",\"custom\":{\"s\":\"60\"}");
		assert_int_equal(
		    dispatch_cancel(s.dispatch, "job-0001", CANCEL_LOST), 0);
		take(&s, again[i], ",\"custom\":{\"s\":\"0\"}");
		assert_int_equal(dispatch_held(s.dispatch), 1);
		/* A word about the first is about no other; a reload and a
		 * pause let nothing through. */
		assert_int_equal(
		    dispatch_cancel_of(s.dispatch, 1, "job-0001", CANCEL_LOST),
		    -ENOENT);
		assert_int_equal(dispatch_reload(s.dispatch, s.generation), 0);
		dispatch_pause(s.dispatch);
		dispatch_resume(s.dispatch);
		assert_int_equal(dispatch_held(s.dispatch), 1);
		take_as(&s, "job-0002", again[i], ",\"custom\":{\"s\":\"0\"}");
		assert_int_equal(dispatch_held(s.dispatch), 1);
		while (dispatch_held(s.dispatch) > 0)
			ev_run(s.loop, EVRUN_ONCE);
		assert_int_equal(dispatch_lost(s.dispatch), 1);
		assert_true(dispatch_busy(s.dispatch) <= 2);
		turn_until(s.loop, &s.none_left);
		assert_int_equal(report_counts(s.report).acked, 2);
		tear_down(&s);
	}
}

static void
no_program_starts_when_the_reservation_leaves_no_time(void **state)
{
	static const char job[] =
	    "{\"jid\":\"job-0001\",\"jobtype\":\"ok\",\"args\":[]}";
	static const char *const script[] = { "accept", "greet",
		FAIL("Timeout", "no time is left of the reservation"), "> +OK",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	s.none_left = false;
	dispatch_take(s.dispatch, 0, job, sizeof job - 1,
	    clock_mono() - 1795 * CLOCK_NS_PER_S);
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

static void
what_is_no_job_is_told_and_takes_no_slot(void **state)
{
	static const char *const jobs[] = { "{", "[]",
		"{\"jobtype\":\"ok\",\"args\":[]}" };
	static const char *const script[] = { "accept", "greet", NULL };
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s, script);
	for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
		heard_begin(&heard);
		dispatch_take(
		    s.dispatch, 0, jobs[i], strlen(jobs[i]), clock_mono());
		heard_end(&heard);
		assert_non_null(
		    strstr(heard.text, "sent a job that cannot be taken up: "));
		assert_int_equal(dispatch_busy(s.dispatch), 0);
	}
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_is_taken_until_the_program_has_ended),
		cmocka_unit_test(
		    a_full_handler_holds_its_jobs_and_stops_the_asking),
		cmocka_unit_test(interrupted_jobs_fail_as_shutdown),
		cmocka_unit_test(held_jobs_fail_as_shutdown_without_being_run),
		cmocka_unit_test(kill_does_not_wait_for_the_grace),
		cmocka_unit_test(cancelled_jobs_fail_as_such_running_or_held),
		cmocka_unit_test(
		    a_lost_job_is_killed_at_once_and_not_spoken_of),
		cmocka_unit_test(
		    a_job_that_comes_again_waits_for_the_end_of_its_last_run),
		cmocka_unit_test(
		    no_program_starts_when_the_reservation_leaves_no_time),
		cmocka_unit_test(what_is_no_job_is_told_and_takes_no_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
