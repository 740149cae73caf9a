/*
 * While the processors have enough to do a question waits for more slots, for
 * no longer than FETCH_GATHER, and only where several jobs can be asked for.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/scripted_peer.h"

struct sample {
	struct peer peer;
	struct ev_loop *loop;
	struct fetch *fetch;
	size_t room;
	bool crowded;
	size_t waited;  /* how often, and */
	uint64_t asked; /* questions until then */
	size_t gots;
	bool got;
};

static size_t
on_room(void *ctx)
{
	struct sample *s = ctx;

	return s->room;
}

static bool
on_got(void *ctx, const char *bytes, size_t len, int64_t asked_at)
{
	struct sample *s = ctx;

	(void)bytes;
	(void)len;
	(void)asked_at;
	s->got = true;
	s->gots++;
	s->room--;
	return true;
}

static void
on_none(void *ctx)
{
	(void)ctx;
}

static bool
on_crowded(void *ctx)
{
	struct sample *s = ctx;

	return s->crowded;
}

static void
on_waited(void *ctx)
{
	struct sample *s = ctx;

	s->waited++;
	s->asked = fetch_asked(s->fetch);
}

static const struct fetch_hooks hooks = { .room = on_room,
	.got = on_got,
	.none = on_none,
	.crowded = on_crowded,
	.waited = on_waited };
static char name[] = "q";
static struct queue_setting queues[] = { { .name = name, .weight = 1 } };
static const struct settings settings = { .queues = queues, .nqueues = 1 };

#define OFFERS                                                                 \
	"accept", "> +HI {\"v\":2,\"x\":[\"fetchb\"]}", "< HELLO ", "> +OK"

/* Up to the first job, which leaves no room. */
static void
set_up(struct sample *s, const char *const *script)
{
	memset(s, 0, sizeof *s);
	peer_start(&s->peer, script);
	s->room = 1;
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->fetch = fetch_new(s->loop, &s->peer.who, &settings, &hooks, s);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	fetch_poke(s->fetch);
	turn_until(s->loop, &s->got);
	s->got = false;
}

static void
tear_down(struct sample *s)
{
	fetch_free(s->fetch);
	ev_loop_destroy(s->loop);
	peer_finish(&s->peer);
}

/* One slot becomes free after the other, and they are asked for together. */
static void
a_question_waits_for_more_slots(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCH q",
		"> $5\r\n{one}", "< FETCHB 3 q", "> *1\r\n$5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	s.crowded = true;
	for (s.room = 1; s.room < 3; s.room++)
		fetch_poke(s.fetch);
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	assert_int_equal(s.waited, 0);
	turn_until(s.loop, &s.got);
	/* Who has waited as well was told before the question went out. */
	assert_int_equal(s.waited, 1);
	assert_int_equal(s.asked, 1);
	tear_down(&s);
}

static void
it_waits_no_longer_than_the_processors_are_busy(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCH q",
		"> $5\r\n{one}", "< FETCH q", "wait", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	s.crowded = true;
	s.room = 1;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.crowded = false;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	assert_int_equal(s.waited, 1);
	peer_go(&s.peer);
	turn_until(s.loop, &s.got);
	tear_down(&s);
}

/* Nothing was held up: nobody is told that it was. */
static void
without_a_crowd_nothing_waits(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCH q",
		"> $5\r\n{one}", "< FETCH q", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	s.room = 1;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	turn_until(s.loop, &s.got);
	assert_int_equal(s.waited, 0);
	tear_down(&s);
}

/* It gets one question for each job either way. */
static void
a_stock_server_is_asked_at_once(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH q",
		"> $5\r\n{one}", "< FETCH q", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	s.crowded = true;
	s.room = 1;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	turn_until(s.loop, &s.got);
	tear_down(&s);
}

/* The slots may be gone again: then there is nothing to wait for. */
static void
without_room_the_wait_is_over(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCH q",
		"> $5\r\n{one}", "< FETCH q", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	s.crowded = true;
	s.room = 1;
	fetch_poke(s.fetch);
	s.room = 0;
	fetch_poke(s.fetch);
	s.crowded = false;
	s.room = 1;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	assert_int_equal(s.waited, 0);
	turn_until(s.loop, &s.got);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_waits_for_more_slots),
		cmocka_unit_test(
		    it_waits_no_longer_than_the_processors_are_busy),
		cmocka_unit_test(without_a_crowd_nothing_waits),
		cmocka_unit_test(a_stock_server_is_asked_at_once),
		cmocka_unit_test(without_room_the_wait_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
