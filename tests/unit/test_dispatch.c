/*
 * Every job that is taken up ends in exactly one ACK or FAIL that says what
 * happened, and its slot and its directory come back.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/dispatch.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ev.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/heard_log.h"
#include "tests/unit/scripted_peer.h"

static const char config[] =
    "concurrency: 4\n"
    "defaults: {grace: 1s}\n"
    "jobs:\n"
    "  ok: {exec: [/bin/true]}\n"
    "  arg: {exec: [/bin/test, '{args.0}', '=', 'a b']}\n"
    "  fail: {shell: 'echo one >&2; echo two >&2; exit 3'}\n"
    "  dead: {shell: 'exit 65'}\n"
    "  signal: {shell: 'kill -SEGV $$'}\n"
    "  hang: {exec: [/bin/sleep, '60']}\n"
    "  stubborn: {shell: 'trap \"\" TERM; while :; do sleep 60; done',"
    " grace: 25s}\n"
    "  short: {exec: [/bin/sleep, '60'], timeout: 100ms}\n"
    "  fed: {shell: 'read -r x && test \"$x\" = \"[7]\"', input: args}\n"
    "  one: {exec: [/bin/sleep, '0.05'], concurrency: 1}\n"
    "  litter: {shell: 'echo x > \"$FAKTORY_TMPDIR/file\"'}\n";

struct sample {
	struct peer peer;
	struct generation *generation;
	char tmpdir[40];
	struct ev_loop *loop;
	struct client *client;
	struct spawner *spawner;
	struct scratch *scratch;
	struct report *report;
	struct dispatch *dispatch;
	bool up, none_left;
	size_t ends;
};

static void
on_up(void *ctx)
{
	struct sample *s = ctx;

	s->up = true;
	report_up(s->report);
}

static void
on_down(void *ctx)
{
	(void)ctx;
}

static const struct client_hooks hooks = { on_up, on_down };

static void
on_settled(void *ctx)
{
	struct sample *s = ctx;

	s->none_left =
	    report_waiting(s->report) == 0 && dispatch_busy(s->dispatch) == 0;
}

static void
on_ended(void *ctx)
{
	struct sample *s = ctx;

	s->ends++;
}

static const char *
nothing(const char *name)
{
	(void)name;
	return NULL;
}

static void
on_mistake(void *ctx, const char *message)
{
	(void)ctx;
	fail_msg("%s", message);
}

static struct generation *
read_generation(const char *text)
{
	struct settings *settings = settings_read(
	    "t.yaml", text, strlen(text), nothing, on_mistake, NULL);
	struct err e;
	struct generation *g = generation_new(settings, nothing, &e);

	assert_non_null(g);
	return g;
}

static void
set_up(struct sample *s, const char *const *script)
{
	memset(s, 0, sizeof *s);
	signal(SIGPIPE, SIG_IGN);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	peer_start(&s->peer, script);
	snprintf(s->tmpdir, sizeof s->tmpdir, "/tmp/test-dispatch-XXXXXX");
	assert_non_null(mkdtemp(s->tmpdir));
	s->generation = read_generation(config);
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->client = client_new(
	    s->loop, &s->peer.who, "test", LOG_LEVEL_ERROR, &hooks, s);
	s->spawner = spawner_new(s->loop);
	s->scratch = scratch_open(s->loop, s->spawner, s->tmpdir, NULL);
	s->report =
	    report_new(s->loop, "tcp://here:1", s->client, NULL, on_settled, s);
	const struct dispatch_parts parts = { .loop = s->loop,
		.spawner = s->spawner,
		.scratch = s->scratch,
		.reports = &s->report,
		.wid = s->peer.who.wid };
	s->dispatch = dispatch_new(&parts, s->generation, on_ended, s);
	client_start(s->client);
	turn_until(s->loop, &s->up);
}

static void
tear_down(struct sample *s)
{
	assert_int_equal(dispatch_busy(s->dispatch), 0);
	client_free(s->client);
	dispatch_free(s->dispatch);
	report_free(s->report);
	scratch_close(s->scratch);
	spawner_free(s->spawner);
	ev_loop_destroy(s->loop);
	generation_drop(s->generation);
	assert_int_equal(rmdir(s->tmpdir), 0);
	peer_finish(&s->peer);
}

static void
take_as(
    struct sample *s, const char *jid, const char *jobtype, const char *rest)
{
	char json[512];

	snprintf(json, sizeof json,
	    "{\"jid\":\"%s\",\"jobtype\":\"%s\",\"args\":[]%s}", jid, jobtype,
	    rest);
	s->none_left = false;
	dispatch_take(s->dispatch, 0, json, strlen(json), clock_mono());
}

static void
take(struct sample *s, const char *jobtype, const char *rest)
{
	take_as(s, "job-0001", jobtype, rest);
}

/* A FAIL whose message begins like this. */
#define FAIL(errtype, message)                                                 \
	"< FAIL {\"jid\":\"job-0001\",\"errtype\":\"" errtype                  \
	"\",\"message\":\"" message

static void
each_end_is_told_in_its_own_words(void **state)
{
	static const struct {
		const char *jobtype, *rest, *told;
	} cases[] = {
		{ "ok", "", "< ACK {\"jid\":\"job-0001\"}" },
		{ "arg", ",\"args\":[\"a b\"]", "< ACK" },
		{ "fed", ",\"args\":[7]", "< ACK" },
		{ "litter", "", "< ACK" },
		{ "fail", "",
		    FAIL("ExitStatus",
			"exit 3: two") "\",\"backtrace\":[\"one\",\"two\"]}" },
		{ "fail", ",\"backtrace\":1",
		    FAIL("ExitStatus",
			"exit 3: two") "\",\"backtrace\":[\"one\"]}" },
		{ "signal", "", FAIL("Signal", "killed by SIGSEGV") },
		{ "short", "",
		    /* Of its 100 ms a busy host may leave it few. */
		    FAIL("Timeout", "stopped after 0.") },
		{ "nope", "",
		    FAIL("UnknownJobtype",
			"no handler for jobtype \\\"nope\\\" in t.yaml\"") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *const script[] = { "accept", "greet", cases[i].told,
			"> +OK", NULL };
		struct sample s;

		set_up(&s, script);
		take(&s, cases[i].jobtype, cases[i].rest);
		turn_until(s.loop, &s.none_left);
		assert_int_equal(s.ends, 1);
		tear_down(&s);
	}
}

static void
what_must_not_run_again_is_buried(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("ExitStatus", "exit 65\",\"retry\":-1}"), "> +OK",
		"< MUTATE {\"cmd\":\"kill\",\"target\":\"retries\"", "> +OK",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "dead", "");
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

/* The same data would not fit the next time either. */
static void
what_does_not_fit_is_buried(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("BadArgument",
		    "argument 1: {args.0} is missing\",\"retry\":-1}"),
		"> +OK", "< MUTATE {\"cmd\":\"kill\",\"target\":\"retries\"",
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "arg", "");
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

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
	take(&s, "one", "");
	take(&s, "one", "");
	assert_int_equal(dispatch_held(s.dispatch), 1);
	assert_int_equal(dispatch_room(s.dispatch), 2);
	take(&s, "one", "");
	assert_int_equal(dispatch_held(s.dispatch), 2);
	assert_int_equal(dispatch_room(s.dispatch), 0);
	int64_t began = clock_mono();
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

static void
the_log_tells_each_end_with_its_raw_status(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ACK",
		"< FAIL", "> +OK", "> +OK", NULL };
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s, script);
	heard_begin(&heard);
	take(&s, "ok", "");
	while (dispatch_busy(s.dispatch) > 0)
		ev_run(s.loop, EVRUN_ONCE);
	take(&s, "fail", ",\"retry\":2");
	turn_until(s.loop, &s.none_left);
	heard_end(&heard);
	assert_non_null(
	    strstr(heard.text, "<6>jid=job-0001 type=ok  done in 0."));
	assert_non_null(
	    strstr(heard.text, " s (attempt 1 of 26, status 0x0000)\n"));
	assert_non_null(strstr(
	    heard.text, "<6>jid=job-0001 type=fail stream=stderr  one\n"));
	assert_non_null(strstr(heard.text,
	    "<4>jid=job-0001 type=fail  ExitStatus: exit 3: two; retry after "
	    "0."));
	assert_non_null(strstr(
	    heard.text, " s (attempt 1 of 3, status 0x0300); reported FAIL\n"));
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_is_told_in_its_own_words),
		cmocka_unit_test(what_must_not_run_again_is_buried),
		cmocka_unit_test(what_does_not_fit_is_buried),
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
		    no_program_starts_when_the_reservation_leaves_no_time),
		cmocka_unit_test(what_is_no_job_is_told_and_takes_no_slot),
		cmocka_unit_test(the_log_tells_each_end_with_its_raw_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
