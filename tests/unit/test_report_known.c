/*
 * A job that comes again while it is known how it has ended is not run, and its
 * server is told what it cannot know by then.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/report.h"

#include "tests/unit/report_sample.h"

#define WHEN "2026-05-04T03:02:01.123456789Z"

/* Whether it knows the job that is handed out now. */
static bool
knows(struct report *r, const char *jid, const char *enqueued_at)
{
	const struct job again = {
		.jid = { jid, strlen(jid) },
		.enqueued_at = { enqueued_at,
		    enqueued_at != NULL ? strlen(enqueued_at) : 0 },
	};

	return report_knows(r, &again, later());
}

static void
tell_of(struct report *r, const char *jid, const struct failure *f,
    int64_t asked_at, int64_t expires)
{
	tell(r,
	    &(struct notice){ .jid = jid,
		.failure = f,
		.enqueued_at = WHEN,
		.enqueued_at_len = sizeof WHEN - 1,
		.asked_at = asked_at },
	    expires);
}

/* Of a job that was asked for in this conversation. */
static void
tell_ack_of(struct report *r, const char *jid, int64_t expires)
{
	tell_of(r, jid, NULL, clock_mono(), expires);
}

static void
tell_release_of(struct report *r, const char *jid, int64_t asked_at)
{
	tell(r,
	    &(struct notice){ .jid = jid,
		.release = true,
		.failure = &boom,
		.enqueued_at = WHEN,
		.enqueued_at_len = sizeof WHEN - 1,
		.asked_at = asked_at },
	    later());
}

static void
until_ready(struct sample *s)
{
	client_start(s->client);
	while (!client_ready(s->client))
		ev_run(s->loop, EVRUN_ONCE);
	s->none_left = false;
}

/* Until nothing waits any more. */
static void
until_told(struct sample *s)
{
	while (report_waiting(s->report) > 0)
		ev_run(s->loop, EVRUN_ONCE);
}

/*
 * The server hands out a job whose ACK is on its way: which reservation that
 * has ended nobody knows, so it is told once more, and counted once. What has
 * not been sent yet is told once, for the new reservation's time.
 */
static void
an_outcome_whose_job_comes_again_is_told_for_that_too(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK", "accept", "greet",
		"< ACK {\"jid\":\"job-0002\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	until_ready(&s);
	tell_ack_of(s.report, "job-0001", later());
	assert_int_equal(report_sent(s.report), 1);
	assert_true(knows(s.report, "job-0001", WHEN));
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).acked, 1);
	assert_false(knows(s.report, "job-0001", WHEN));

	client_hang_up(s.client);
	s.none_left = false;
	tell_ack_of(s.report, "job-0002", clock_mono() - 1);
	assert_int_equal(report_sent(s.report), 0);
	assert_true(knows(s.report, "job-0002", WHEN));
	client_start(s.client);
	until_told(&s);
	assert_int_equal(report_counts(s.report).acked, 2);
	assert_int_equal(report_counts(s.report).dropped, 0);
	tear_down(&s);
}

/* Two jobs of one jid are two jobs, and so is a further attempt. A successor
 * tells them apart as well. */
static void
another_job_of_the_jid_is_not_known(void **state)
{
	static const char *const script[] = { "accept", "greet", NULL };
	struct sample s, next;

	(void)state;
	set_up(&s, script);
	set_up(&next, script);
	tell_ack_of(s.report, "job-0001", later());
	tell_ack(s.report, "job-0002", later());
	hand_over(s.report, next.report);
	for (int i = 0; i < 2; i++) {
		struct report *r = i == 0 ? s.report : next.report;

		assert_true(knows(r, "job-0001", WHEN));
		assert_false(knows(r, "job-0001", "2026-05-04T03:02:01Z"));
		assert_false(knows(r, "job-0001", NULL));
		assert_false(knows(r, "job-0002", WHEN));
		assert_false(knows(r, "job-0002", NULL));
	}
	client_start(s.client);
	client_start(next.client);
	turn_until(s.loop, &s.down);
	turn_until(next.loop, &next.down);
	tear_down(&s);
	tear_down(&next);
}

/*
 * +OK to a FAIL has ended a reservation, and that can only be the last one; one
 * that it does not know may have been an earlier one.
 */
static void
the_answer_to_a_FAIL_says_whether_it_is_to_be_told_again(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< FAIL {\"jid\":\"job-0001\"", "> +OK",
		"< FAIL {\"jid\":\"job-0002\"", "> -ERR Job not found job-0002",
		"< FAIL {\"jid\":\"job-0002\"", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	until_ready(&s);
	for (int i = 0; i < 2; i++) {
		const char *jid = i == 0 ? "job-0001" : "job-0002";

		tell_of(s.report, jid, &boom, clock_mono(), later());
		report_hurry(s.report);
		assert_true(knows(s.report, jid, WHEN));
		until_told(&s);
	}
	assert_int_equal(report_counts(s.report).failed, 2);
	assert_int_equal(report_counts(s.report).unknown, 0);
	tear_down(&s);
}

/* A job that was given back, and comes again for that reason, goes back again:
 * the answer is to the first time. */
static void
what_was_given_back_and_comes_again_goes_back_again(void **state)
{
	static const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"x\":[\"release\"]}", "< HELLO ", "> +OK",
		"< RELEASE {\"jid\":\"job-0001\"}", "> +OK",
		"< RELEASE {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	until_ready(&s);
	tell_release_of(s.report, "job-0001", clock_mono());
	assert_int_equal(report_sent(s.report), 1);
	assert_true(knows(s.report, "job-0001", WHEN));
	until_told(&s);
	assert_int_equal(report_counts(s.report).released, 1);
	tear_down(&s);
}

/*
 * The conversation is younger than the job: the server may have handed that out
 * just before it heard the ACK. Told once more, counted once, and known
 * again until no earlier question can bring it.
 */
static void
what_was_confirmed_is_known_while_a_question_is_open(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s;
	int64_t asked_at = clock_mono();

	(void)state;
	set_up(&s, script);
	until_ready(&s);
	tell_of(s.report, "job-0001", NULL, asked_at, later());
	int64_t question = clock_mono();
	until_told(&s);
	report_forget(s.report, question);
	assert_true(knows(s.report, "job-0001", WHEN));
	assert_false(knows(s.report, "job-0001", "2026-05-04T03:02:01Z"));
	assert_int_equal(report_waiting(s.report), 1);
	until_told(&s);
	assert_int_equal(report_counts(s.report).acked, 1);
	report_forget(s.report, clock_mono() + 1);
	assert_false(knows(s.report, "job-0001", WHEN));
	tear_down(&s);
}

/* A FAIL that was answered by +OK is not told again: the job's next attempt
 * may be at work by then. One whose job was not found is. */
static void
a_confirmed_FAIL_is_told_again_only_if_its_job_was_not_found(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< FAIL {\"jid\":\"job-0001\"", "> +OK",
		"< FAIL {\"jid\":\"job-0002\"", "> -ERR Job not found job-0002",
		"< FAIL {\"jid\":\"job-0002\"", "> +OK", NULL };
	struct sample s;
	int64_t asked_at = clock_mono();

	(void)state;
	set_up(&s, script);
	until_ready(&s);
	for (size_t i = 0; i < 2; i++) {
		const char *jid = i == 0 ? "job-0001" : "job-0002";

		tell_of(s.report, jid, &boom, asked_at, later());
		until_told(&s);
		assert_true(knows(s.report, jid, WHEN));
		assert_int_equal(report_waiting(s.report), i);
		until_told(&s);
	}
	assert_int_equal(report_counts(s.report).failed, 1);
	assert_int_equal(report_counts(s.report).unknown, 1);
	tear_down(&s);
}

/* The server has had no reason to give it away: another job of that name. What
 * is given back comes again because of that. */
static void
nothing_else_is_known_once_it_is_confirmed(void **state)
{
	static const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"x\":[\"release\"]}", "< HELLO", "> +OK",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK",
		"< RELEASE {\"jid\":\"job-0002\"}", "> +OK", NULL };
	struct sample s;
	int64_t asked_at = clock_mono();

	(void)state;
	set_up(&s, script);
	until_ready(&s);
	tell_ack_of(s.report, "job-0001", later());
	until_told(&s);
	assert_false(knows(s.report, "job-0001", WHEN));
	tell_release_of(s.report, "job-0002", asked_at);
	until_told(&s);
	assert_int_equal(report_counts(s.report).released, 1);
	assert_false(knows(s.report, "job-0002", WHEN));
	tear_down(&s);
}

/* What another process has brought about is older than any conversation. */
static void
what_was_taken_over_is_known_once_it_is_confirmed(void **state)
{
	static const char *const nobody[] = { NULL };
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s, next;

	(void)state;
	set_up(&s, nobody);
	set_up(&next, script);
	tell_ack_of(s.report, "job-0001", later());
	hand_over(s.report, next.report);
	until_ready(&next);
	until_told(&next);
	assert_int_equal(report_counts(next.report).acked, 1);
	assert_true(knows(next.report, "job-0001", WHEN));
	tear_down(&s);
	tear_down(&next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_outcome_whose_job_comes_again_is_told_for_that_too),
		cmocka_unit_test(another_job_of_the_jid_is_not_known),
		cmocka_unit_test(
		    the_answer_to_a_FAIL_says_whether_it_is_to_be_told_again),
		cmocka_unit_test(
		    what_was_given_back_and_comes_again_goes_back_again),
		cmocka_unit_test(
		    what_was_confirmed_is_known_while_a_question_is_open),
		cmocka_unit_test(
		    a_confirmed_FAIL_is_told_again_only_if_its_job_was_not_found),
		cmocka_unit_test(nothing_else_is_known_once_it_is_confirmed),
		cmocka_unit_test(
		    what_was_taken_over_is_known_once_it_is_confirmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
