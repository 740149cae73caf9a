/*
 * report_sample - a report and the scripted server that it tells.
 *
 * For the tests of supervisor/report and report_reply.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_REPORT_SAMPLE_H
#define TESTS_UNIT_REPORT_SAMPLE_H

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
#include "supervisor/report.h"
#include "tests/unit/scripted_peer.h"

struct sample {
	struct peer peer;
	struct ev_loop *loop;
	struct client *client;
	struct report *report;
	bool none_left; /* set when nothing waits any more */
	bool down;
};

static inline void
on_up(void *ctx)
{
	struct sample *s = ctx;

	report_up(s->report);
}

static inline void
on_down(void *ctx)
{
	struct sample *s = ctx;

	s->down = true;
}

static inline void
on_settled(void *ctx)
{
	struct sample *s = ctx;

	s->none_left = report_waiting(s->report) == 0;
}

static const struct client_hooks hooks = { on_up, on_down };

static inline void
set_up(struct sample *s, const char *const *script)
{
	memset(s, 0, sizeof *s);
	peer_start(&s->peer, script);
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->client = client_new(
	    s->loop, &s->peer.who, "test", LOG_LEVEL_DEBUG, &hooks, s);
	s->report =
	    report_new(s->loop, "tcp://here:1", s->client, NULL, on_settled, s);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
}

static inline void
tear_down(struct sample *s)
{
	client_free(s->client);
	report_free(s->report);
	ev_loop_destroy(s->loop);
	peer_finish(&s->peer);
}

static inline int64_t
later(void)
{
	return clock_mono() + 3600 * CLOCK_NS_PER_S;
}

static inline void
tell(struct report *r, const struct notice *n, int64_t expires)
{
	struct notice whole = *n;

	whole.jid_len = strlen(n->jid);
	report_tell(r, &whole, expires);
}

static inline void
tell_ack(struct report *r, const char *jid, int64_t expires)
{
	tell(r, &(struct notice){ .jid = jid }, expires);
}

static inline void
tell_fail(
    struct report *r, const char *jid, const struct failure *f, int64_t expires)
{
	tell(r, &(struct notice){ .jid = jid, .failure = f }, expires);
}

static inline void
tell_dead(
    struct report *r, const char *jid, const struct failure *f, int64_t expires)
{
	tell(r, &(struct notice){ .jid = jid, .failure = f, .bury = true },
	    expires);
}

static const struct failure boom = { .errtype = "E", .message = "boom" };

/* From one report into another, as an upgrade in place does. */
static inline void
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

#endif
