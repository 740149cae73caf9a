/*
 * An outcome is told until the server has confirmed it, in order, across lost
 * conversations; what can never be confirmed is dropped and counted.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/state.h"
#include "supervisor/notice.h"
#include "tests/unit/heard_log.h"
#include "tests/unit/scripted_peer.h"

struct sample {
	struct peer peer;
	struct ev_loop *loop;
	struct client *client;
	struct report *report;
	bool none_left; /* set when nothing waits any more */
	bool down;
};

static void
on_up(void *ctx)
{
	struct sample *s = ctx;

	report_up(s->report);
}

static void
on_down(void *ctx)
{
	struct sample *s = ctx;

	s->down = true;
}

static void
on_settled(void *ctx)
{
	struct sample *s = ctx;

	s->none_left = report_waiting(s->report) == 0;
}

static const struct client_hooks hooks = { on_up, on_down };

static void
set_up(struct sample *s, const char *const *script)
{
	memset(s, 0, sizeof *s);
	peer_start(&s->peer, script);
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->client = client_new(
	    s->loop, &s->peer.who, "test", LOG_LEVEL_DEBUG, &hooks, s);
	s->report = report_new(s->loop, s->client, NULL, on_settled, s);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
}

static void
tear_down(struct sample *s)
{
	client_free(s->client);
	report_free(s->report);
	ev_loop_destroy(s->loop);
	peer_finish(&s->peer);
}

static int64_t
later(void)
{
	return clock_mono() + 3600 * CLOCK_NS_PER_S;
}

static void
tell(struct report *r, const struct notice *n, int64_t expires)
{
	struct notice whole = *n;

	whole.jid_len = strlen(n->jid);
	report_tell(r, &whole, expires);
}

static void
tell_ack(struct report *r, const char *jid, int64_t expires)
{
	tell(r, &(struct notice){ .jid = jid }, expires);
}

static void
tell_fail(
    struct report *r, const char *jid, const struct failure *f, int64_t expires)
{
	tell(r, &(struct notice){ .jid = jid, .failure = f }, expires);
}

static void
tell_dead(
    struct report *r, const char *jid, const struct failure *f, int64_t expires)
{
	tell(r, &(struct notice){ .jid = jid, .failure = f, .bury = true },
	    expires);
}

static const struct failure boom = { .errtype = "E", .message = "boom" };

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

/* From one report into another, as an upgrade in place does. */
static void
hand_over(struct report *from, struct report *to)
{
	struct state_writer w;
	struct state_reader r;
	struct buf *bytes = buf_new(1 << 20);

	assert_non_null(bytes);
	assert_int_equal(state_writer_init(&w, 1 << 20), 0);
	report_save(from, &w);
	assert_int_equal(state_seal(&w, 1, bytes), 0);
	assert_int_equal(
	    state_open(&r, buf_front(bytes), buf_len(bytes), 1), 0);
	report_load(to, &r);
	assert_false(r.failed);
	state_writer_clear(&w);
	buf_free(bytes);
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
	    report_new(s.loop, s.client, NULL, on_settled, &s);
	tell_dead(before, "job-0001", &never_again, later());
	hand_over(before, s.report);
	report_free(before);
	assert_int_equal(report_waiting(s.report), 1);
	client_start(s.client);
	turn_until(s.loop, &s.none_left);
	assert_int_equal(report_counts(s.report).buried, 1);
	tear_down(&s);
}

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

static void
follow_up_jobs_survive_an_upgrade(void **state)
{
	static const char *const script[] = { "accept", "greet", "< PUSHB [",
		"> $2", "> {}", "< ACK {\"jid\":\"job-0001\"}", "> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	struct report *before =
	    report_new(s.loop, s.client, NULL, on_settled, &s);
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
		    outcomes_wait_for_the_conversation_and_are_confirmed_in_order),
		cmocka_unit_test(what_was_not_confirmed_is_told_again),
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
		cmocka_unit_test(
		    follow_up_jobs_are_confirmed_before_the_ack_is_sent),
		cmocka_unit_test(
		    a_refused_follow_up_job_fails_the_job_and_is_named),
		cmocka_unit_test(follow_up_jobs_survive_an_upgrade),
		cmocka_unit_test(a_result_goes_only_where_it_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
