/*
 * dispatch_sample - a dispatch with handlers that end in every way, its
 * report, and the scripted server that hears of it.
 *
 * For the tests of supervisor/dispatch and ending.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_DISPATCH_SAMPLE_H
#define TESTS_UNIT_DISPATCH_SAMPLE_H

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
#include "supervisor/dispatch.h"
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
    "  fast: {exec: [/bin/sleep, '{custom.s}']}\n"
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

static inline void
on_up(void *ctx)
{
	struct sample *s = ctx;

	s->up = true;
	report_up(s->report);
}

static inline void
on_down(void *ctx)
{
	(void)ctx;
}

static const struct client_hooks hooks = { on_up, on_down };

static inline void
on_settled(void *ctx)
{
	struct sample *s = ctx;

	s->none_left =
	    report_waiting(s->report) == 0 && dispatch_busy(s->dispatch) == 0;
}

static inline void
on_ended(void *ctx)
{
	struct sample *s = ctx;

	s->ends++;
}

static inline const char *
nothing(const char *name)
{
	(void)name;
	return NULL;
}

static inline void
on_mistake(void *ctx, const char *message)
{
	(void)ctx;
	fail_msg("%s", message);
}

static inline struct generation *
read_generation(const char *text)
{
	struct settings *settings = settings_read(
	    "t.yaml", text, strlen(text), nothing, on_mistake, NULL);
	struct err e;
	struct generation *g = generation_new(settings, nothing, &e);

	assert_non_null(g);
	return g;
}

static inline void
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

static inline void
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

static inline void
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

static inline void
take(struct sample *s, const char *jobtype, const char *rest)
{
	take_as(s, "job-0001", jobtype, rest);
}

/* A FAIL whose message begins like this. */
#define FAIL(errtype, message)                                                 \
	"< FAIL {\"jid\":\"job-0001\",\"errtype\":\"" errtype                  \
	"\",\"message\":\"" message

#endif
