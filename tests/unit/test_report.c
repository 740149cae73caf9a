/*
 * An outcome is told until the server has confirmed it, in order, across lost
 * conversations; what can never be confirmed is dropped and counted.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/report.h"

#include "tests/unit/heard_log.h"
#include "tests/unit/report_sample.h"

static void
outcomes_wait_for_the_conversation_and_are_confirmed_in_order(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}",
		"< FAIL {\"jid\":\"job-0002\",\"errtype\":\"E\",\"message\":"
		"\"boom\"",
		"< ACK {\"jid\":\"job-0003\"}", "> +OK", "> +OK", "> +OK",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell_ack(s.report, "job-0001", later());
	tell_fail(s.report, "job-0002", &boom, later());
	tell_ack(s.report, "job-0003", later());
	assert_int_equal(report_waiting(s.report), 3);
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).acked, 2);
	assert_int_equal(report_counts(s.report).failed, 1);
	tear_down(&s);
}

static void
what_was_not_confirmed_is_told_again(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "< ACK {\"jid\":\"job-0002\"}",
		"< ACK {\"jid\":\"job-0003\"}", "> +OK", "close", "accept",
		"greet", "< ACK {\"jid\":\"job-0002\"}",
		"< ACK {\"jid\":\"job-0003\"}", "> +OK", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	client_start(s.client);
	tell_ack(s.report, "job-0001", later());
	tell_ack(s.report, "job-0002", later());
	tell_ack(s.report, "job-0003", later());
	turn_until(s.loop, &s.down);
	assert_int_equal(report_waiting(s.report), 2);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).acked, 3);
	tear_down(&s);
}

/*
 * A server pays a commit for each write it gets: the first outcome does not
 * wait, those that end right behind it go together. A round in which this
 * process had to stand still for the time of REPORT_GATHER says nothing.
 */
static void
outcomes_that_follow_closely_go_together(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK",
		"< ACK {\"jid\":\"job-0002\"}", "< ACK {\"jid\":\"job-0003\"}",
		"> +OK", "> +OK", NULL };
	bool undisturbed = false;

	(void)state;
	for (int i = 0; i < 200 && !undisturbed; i++) {
		struct sample s;
		size_t first, then;

		set_up(&s, script);
		client_start(s.client);
		while (!client_ready(s.client))
			ev_run(s.loop, EVRUN_ONCE);
		int64_t began = clock_mono();
		tell_ack(s.report, "job-0001", later());
		first = report_sent(s.report);
		s.none_left = false;
		turn_until(s.loop, &s.none_left);
		s.none_left = false;
		tell_ack(s.report, "job-0002", later());
		tell_ack(s.report, "job-0003", later());
		then = report_sent(s.report);
		double took = (double)(clock_mono() - began) / CLOCK_NS_PER_S;
		turn_until(s.loop, &s.none_left);
		assert_int_equal(first, 1);
		assert_int_equal(report_counts(s.report).acked, 3);
		undisturbed = took < REPORT_GATHER;
		if (undisturbed)
			assert_int_equal(then, 0);
		tear_down(&s);
	}
	assert_true(undisturbed);
}

/* What waits for company need not, where something else goes out anyway; with
 * nothing to send that changes nothing. A round as above. */
static void
what_waits_goes_when_it_is_hurried(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK",
		"< ACK {\"jid\":\"job-0002\"}", "> +OK", NULL };
	bool undisturbed = false;

	(void)state;
	for (int i = 0; i < 200 && !undisturbed; i++) {
		struct sample s;

		set_up(&s, script);
		client_start(s.client);
		while (!client_ready(s.client))
			ev_run(s.loop, EVRUN_ONCE);
		int64_t began = clock_mono();
		tell_ack(s.report, "job-0001", later());
		s.none_left = false;
		turn_until(s.loop, &s.none_left);
		s.none_left = false;
		report_hurry(s.report);
		tell_ack(s.report, "job-0002", later());
		size_t gathered = report_sent(s.report);
		report_hurry(s.report);
		size_t hurried = report_sent(s.report);
		double took = (double)(clock_mono() - began) / CLOCK_NS_PER_S;
		turn_until(s.loop, &s.none_left);
		assert_int_equal(hurried, 1);
		assert_int_equal(report_counts(s.report).acked, 2);
		undisturbed = took < REPORT_GATHER;
		if (undisturbed)
			assert_int_equal(gathered, 0);
		tear_down(&s);
	}
	assert_true(undisturbed);
}

static void
job_not_found_counts_as_told_and_is_no_warning(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FAIL",
		"> -ERR Job not found job-0001", NULL };
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s, script);
	heard_begin(&heard);
	client_start(s.client);
	tell_fail(s.report, "job-0001", &boom, later());
	turn_until(s.loop, &s.none_left);
	heard_end(&heard);
	assert_string_equal(heard.text,
	    "<7>jid=job-0001  FAIL came too late: ERR Job not found "
	    "job-0001\n");
	assert_int_equal(report_counts(s.report).unknown, 1);
	assert_int_equal(report_counts(s.report).failed, 0);
	tear_down(&s);
}

static void
a_refusal_for_good_is_an_error_and_not_repeated(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ACK",
		"> -ERR invalid ACK {}", NULL };
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s, script);
	heard_begin(&heard);
	client_start(s.client);
	tell_ack(s.report, "job-0001", later());
	turn_until(s.loop, &s.none_left);
	heard_end(&heard);
	assert_string_equal(heard.text,
	    "<3>jid=job-0001  ACK was refused: ERR invalid ACK {}\n");
	assert_int_equal(report_counts(s.report).dropped, 1);
	tear_down(&s);
}

static void
another_error_is_repeated_after_a_pause(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "< ACK {\"jid\":\"job-0002\"}",
		"> -ERR MISCONF the disk is full", "> +OK",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	client_start(s.client);
	int64_t began = clock_mono();
	tell_ack(s.report, "job-0001", later());
	tell_ack(s.report, "job-0002", later());
	turn_until(s.loop, &s.none_left);
	assert_true(clock_mono() - began >= CLOCK_NS_PER_S);
	assert_int_equal(report_counts(s.report).acked, 2);
	tear_down(&s);
}

static void
an_outcome_dies_with_its_reservation(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< ACK {\"jid\":\"job-0002\"}", "> +OK", NULL };
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell_ack(s.report, "job-0001", clock_mono() - 1);
	tell_ack(s.report, "job-0002", later());
	heard_begin(&heard);
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	heard_end(&heard);
	assert_string_equal(heard.text,
	    "<4>jid=job-0001  ACK could not be told before the job's "
	    "reservation ended\n");
	assert_int_equal(report_counts(s.report).dropped, 1);
	assert_int_equal(report_counts(s.report).acked, 1);
	tear_down(&s);
}

static void
too_many_outcomes_are_said_to_be_too_many(void **state)
{
	static const char *const script[] = { NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	for (int i = 0; i < REPORT_MANY - 1; i++)
		tell_ack(s.report, "job-0001", later());
	assert_false(report_full(s.report));
	tell_ack(s.report, "job-0001", later());
	assert_true(report_full(s.report));
	tear_down(&s);
}

#define BURIAL(jid)                                                            \
	"< MUTATE {\"cmd\":\"kill\",\"target\":\"retries\",\"filter\":{"       \
	"\"jids\":[\"" jid "\"]}}"

static const struct failure never_again = {
	.errtype = "E", .message = "boom", .dead = true
};

/* One by one, and after their FAILs; a lost conversation costs none. */
static void
what_must_not_run_again_is_buried_on_a_stock_server(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< FAIL {\"jid\":\"job-0001\"", "< FAIL {\"jid\":\"job-0002\"",
		"> +OK", "> +OK", BURIAL("job-0001"), "close", "accept",
		"greet", BURIAL("job-0001"), "> +OK", BURIAL("job-0002"),
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell_dead(s.report, "job-0001", &never_again, later());
	tell_dead(s.report, "job-0002", &never_again, later());
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).failed, 2);
	assert_int_equal(report_counts(s.report).buried, 2);
	tear_down(&s);
}

static void
a_server_that_has_a_word_for_it_buries_by_itself(void **state)
{
	static const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"x\":[\"fail-retry\"]}", "< HELLO ", "> +OK",
		"< FAIL {\"jid\":\"job-0001\"", "> +OK",
		"< ACK {\"jid\":\"job-0002\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell_dead(s.report, "job-0001", &never_again, later());
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	s.none_left = false;
	tell_ack(s.report, "job-0002", later());
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).buried, 0);
	tear_down(&s);
}

/* It was given away: whoever has it now decides. */
static void
a_job_that_is_not_ours_any_more_is_not_buried(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< FAIL {\"jid\":\"job-0001\"", "> -ERR Job not found job-0001",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell_dead(s.report, "job-0001", &never_again, later());
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).buried, 0);
	assert_int_equal(report_counts(s.report).unknown, 1);
	tear_down(&s);
}

static void
what_is_to_be_buried_survives_an_upgrade(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< FAIL {\"jid\":\"job-0001\"", "> +OK", BURIAL("job-0001"),
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	struct report *before =
	    report_new(s.loop, "tcp://here:1", s.client, NULL, on_settled, &s);
	tell_dead(before, "job-0001", &never_again, later());
	hand_over(before, s.report);
	report_free(before);
	assert_int_equal(report_waiting(s.report), 1);
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).buried, 1);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    outcomes_wait_for_the_conversation_and_are_confirmed_in_order),
		cmocka_unit_test(what_was_not_confirmed_is_told_again),
		cmocka_unit_test(outcomes_that_follow_closely_go_together),
		cmocka_unit_test(what_waits_goes_when_it_is_hurried),
		cmocka_unit_test(
		    job_not_found_counts_as_told_and_is_no_warning),
		cmocka_unit_test(
		    a_refusal_for_good_is_an_error_and_not_repeated),
		cmocka_unit_test(another_error_is_repeated_after_a_pause),
		cmocka_unit_test(an_outcome_dies_with_its_reservation),
		cmocka_unit_test(too_many_outcomes_are_said_to_be_too_many),
		cmocka_unit_test(
		    what_must_not_run_again_is_buried_on_a_stock_server),
		cmocka_unit_test(
		    a_server_that_has_a_word_for_it_buries_by_itself),
		cmocka_unit_test(a_job_that_is_not_ours_any_more_is_not_buried),
		cmocka_unit_test(what_is_to_be_buried_survives_an_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
