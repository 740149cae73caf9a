/*
 * What stands in front of an outcome is confirmed before it, what the server
 * refuses becomes a failure, and no server hears what it does not know.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/unit/report_sample.h"

#define PUSHES "{\"jid\":\"d-1\"}"

static void
tell_pushes(struct report *r, const char *jid)
{
	tell(r,
	    &(struct notice){
		.jid = jid, .pushes = PUSHES, .pushes_len = strlen(PUSHES) },
	    later());
}

/* The server that comes back may be another one. */
static void
a_result_goes_only_where_it_is_wanted(void **state)
{
	static const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"x\":[\"result\"]}", "< HELLO ", "> +OK",
		"< ACK {\"jid\":\"job-0001\",\"result\":[7]}", "close",
		"accept", "greet", "< ACK {\"jid\":\"job-0001\"}", "> +OK",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell(s.report, &(struct notice){ .jid = "job-0001", .result = "[7]" },
	    later());
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).acked, 1);
	tear_down(&s);
}

static const struct notice copied = { .jid = "job-0001",
	.release = true,
	.copy = "{\"jid\": 1.0}",
	.copy_len = 12 };

/* What takes its place is not sent where RELEASE does it all. */
static void
a_job_is_given_back_where_that_goes(void **state)
{
	static const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"x\":[\"release\"]}", "< HELLO ", "> +OK",
		"< RELEASE {\"jid\":\"job-0001\"}", "> +OK",
		"< RELEASE {\"jid\":\"job-0002\"}",
		"> -ERR Job not found job-0002",
		"< RELEASE {\"jid\":\"job-0003\"}",
		"> -ERR unknown command RELEASE",
		"< FAIL {\"jid\":\"job-0003\",\"errtype\":\"E\"", "> +OK",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell(s.report, &copied, later());
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	for (int i = 2; i <= 3; i++) {
		s.none_left = false;
		tell(s.report,
		    &(struct notice){ .jid = i == 2 ? "job-0002" : "job-0003",
			.release = true,
			.failure = &boom },
		    later());
		turn_until(s.loop, &s.none_left);
	}
	assert_int_equal(report_counts(s.report).released, 1);
	assert_int_equal(report_counts(s.report).unknown, 1);
	assert_int_equal(report_counts(s.report).failed, 1);
	assert_int_equal(report_counts(s.report).copied, 0);
	tear_down(&s);
}

/* A conversation lost on either side of the PUSH's reply loses nothing. */
static void
elsewhere_a_copy_is_pushed_before_the_ack(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< PUSH {\"jid\": 1.0}", "close", "accept", "greet",
		"< PUSH {\"jid\": 1.0}", "> -ERR storage: full",
		"< PUSH {\"jid\": 1.0}", "> +OK",
		"< ACK {\"jid\":\"job-0001\"}", "close", "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell(s.report, &copied, later());
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).released, 0);
	assert_int_equal(report_counts(s.report).copied, 1);
	assert_int_equal(report_counts(s.report).acked, 1);
	tear_down(&s);
}

static void
a_copy_that_is_refused_leaves_a_failure(void **state)
{
	static const char *const script[] = { "accept", "greet", "< PUSH ",
		"> -NOTUNIQUE Job not unique",
		"< FAIL {\"jid\":\"job-0001\",\"errtype\":\"PushRefused\","
		"\"message\":\"the server refuses a copy of the job: NOTUNIQUE",
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell(s.report, &copied, later());
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).failed, 1);
	assert_int_equal(report_counts(s.report).acked, 0);
	tear_down(&s);
}

/* A conversation lost on either side of the PUSHB's reply loses neither. */
static void
follow_up_jobs_are_confirmed_before_the_ack_is_sent(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< PUSHB [" PUSHES "]", "close", "accept", "greet",
		"< PUSHB [" PUSHES "]", "> $2", "> {}",
		"< ACK {\"jid\":\"job-0001\"}", "close", "accept", "greet",
		"< ACK {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	tell_pushes(s.report, "job-0001");
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).acked, 1);
	assert_int_equal(report_counts(s.report).pushes, 1);
	tear_down(&s);
}

static void
a_refused_follow_up_job_fails_the_job_and_is_named(void **state)
{
	static const char *const script[] = { "accept", "greet", "< PUSHB [",
		"> $40", "> {\"d-1\":\"jobs must have a jobtype\",\"e\":1}",
		"< FAIL {\"jid\":\"job-0001\",\"errtype\":\"PushRefused\","
		"\"message\":\"the server refuses follow-up jobs: d-1: jobs "
		"must have a jobtype",
		"> +OK", "< PUSHB [", "> -ERR invalid JSON: x", "< FAIL",
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	tell_pushes(s.report, "job-0001");
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	s.none_left = false;
	tell_pushes(s.report, "job-0002");
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).failed, 2);
	assert_int_equal(report_counts(s.report).pushes_refused, 2);
	assert_int_equal(report_counts(s.report).acked, 0);
	tear_down(&s);
}

/* A stock server takes a jid with NUL: cut there, it would be another job's. */
static void
a_jid_is_whole_after_a_refusal_and_an_upgrade(void **state)
{
	static const char *const script[] = { "accept", "greet", "< PUSHB [",
		"> -ERR invalid JSON: x",
		"< FAIL {\"jid\":\"job-0001\\u0000x\",", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	struct report *before =
	    report_new(s.loop, "tcp://here:1", s.client, NULL, on_settled, &s);
	report_tell(before,
	    &(struct notice){ .jid = "job-0001\0x",
		.jid_len = sizeof "job-0001\0x" - 1,
		.pushes = PUSHES,
		.pushes_len = strlen(PUSHES) },
	    later());
	hand_over(before, s.report);
	report_free(before);
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).failed, 1);
	tear_down(&s);
}

static void
follow_up_jobs_survive_an_upgrade(void **state)
{
	static const char *const script[] = { "accept", "greet", "< PUSHB [",
		"> $2", "> {}", "< ACK {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	struct report *before =
	    report_new(s.loop, "tcp://here:1", s.client, NULL, on_settled, &s);
	tell_pushes(before, "job-0001");
	hand_over(before, s.report);
	report_free(before);
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).acked, 1);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    follow_up_jobs_are_confirmed_before_the_ack_is_sent),
		cmocka_unit_test(
		    a_refused_follow_up_job_fails_the_job_and_is_named),
		cmocka_unit_test(a_jid_is_whole_after_a_refusal_and_an_upgrade),
		cmocka_unit_test(follow_up_jobs_survive_an_upgrade),
		cmocka_unit_test(a_result_goes_only_where_it_is_wanted),
		cmocka_unit_test(a_job_is_given_back_where_that_goes),
		cmocka_unit_test(elsewhere_a_copy_is_pushed_before_the_ack),
		cmocka_unit_test(a_copy_that_is_refused_leaves_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
