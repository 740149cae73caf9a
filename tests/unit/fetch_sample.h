/*
 * fetch_sample - a fetch, the scripted server that it asks, and all that it
 * was told.
 *
 * For the tests of supervisor/fetch, fetch_choice and fetch_held.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_FETCH_SAMPLE_H
#define TESTS_UNIT_FETCH_SAMPLE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <ev.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/fetch.h"
#include "tests/unit/scripted_peer.h"

struct sample {
	struct peer peer;
	struct ev_loop *loop;
	struct fetch *fetch;
	size_t room;
	char limited; /* a queue by its first letter, and */
	size_t places;
	char narrow; /* likewise */
	size_t sure;
	bool asked_to_tell;
	bool secretive; /* what is here must not be said yet */
	bool greedy;    /* pokes whenever a job has come */
	bool got, none;
	size_t gots, nones;
	char last[64];
	int64_t asked_at, got_at;
};

static inline size_t
on_room(void *ctx)
{
	struct sample *s = ctx;

	return s->room;
}

static inline size_t
on_places(void *ctx, const char *queue)
{
	struct sample *s = ctx;

	return queue[0] == s->limited ? s->places : SIZE_MAX;
}

static inline size_t
on_sure(void *ctx, const char *queue)
{
	struct sample *s = ctx;

	return queue[0] == s->narrow ? s->sure : SIZE_MAX;
}

static inline bool
on_got(void *ctx, const char *bytes, size_t len, int64_t asked_at)
{
	struct sample *s = ctx;

	s->got = true;
	s->gots++;
	s->asked_at = asked_at;
	s->got_at = clock_mono();
	s->room--;
	s->places = 1;
	snprintf(s->last, sizeof s->last, "%.*s", (int)len, bytes);
	if (s->greedy)
		fetch_poke(s->fetch);
	return strstr(s->last, "no job") == NULL;
}

static inline void
on_none(void *ctx)
{
	struct sample *s = ctx;

	s->none = true;
	s->nones++;
}

/* Says as its only jid how many jobs have come. */
static inline int
on_held(void *ctx, struct buf *line)
{
	struct sample *s = ctx;

	s->asked_to_tell = true;
	return s->secretive
	    ? -EAGAIN
	    : buf_printf(line, "HELD {\"jids\":[\"%zu\"]}\r\n", s->gots);
}

static const struct fetch_hooks hooks = { on_room, on_places, on_sure, on_got,
	on_none, on_held, NULL, NULL };
static char first[] = "a", second[] = "b";
static struct queue_setting queues[] = { { .name = first, .weight = 1 },
	{ .name = second, .weight = 1 } };
static const struct settings settings = { .queues = queues, .nqueues = 2 };

static inline void
set_up(struct sample *s, const char *const *script, size_t room)
{
	memset(s, 0, sizeof *s);
	peer_start(&s->peer, script);
	s->room = room;
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->fetch = fetch_new(s->loop, &s->peer.who, &settings, &hooks, s);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	fetch_poke(s->fetch);
}

static inline void
tear_down(struct sample *s)
{
	fetch_free(s->fetch);
	ev_loop_destroy(s->loop);
	peer_finish(&s->peer);
}

/* Turns the loop until so many jobs have come, and no more. */
static inline void
got(struct sample *s, size_t jobs)
{
	while (s->gots < jobs) {
		turn_until(s->loop, &s->got);
		s->got = false;
	}
	assert_int_equal(s->gots, jobs);
}

#endif
