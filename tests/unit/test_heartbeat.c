/*
 * The server hears of us in time, and we hear what it wants: in either form
 * of reply, again and again, and across a forgotten registration.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/heartbeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/scripted_peer.h"

struct sample {
	struct peer peer;
	struct ev_loop *loop;
	struct client *client;
	struct heartbeat *heartbeat;
	bool alive, alive_again, told, down;
	int alives, tolds;
	enum worker_state state;
	char taken[2][32];
	size_t ntaken;
	bool all_taken;
};

static void
on_up(void *ctx)
{
	struct sample *s = ctx;

	heartbeat_up(s->heartbeat);
}

static void
on_down(void *ctx)
{
	struct sample *s = ctx;

	heartbeat_down(s->heartbeat);
	s->down = true;
}

static void
on_alive(void *ctx)
{
	struct sample *s = ctx;

	s->alive = true;
	s->alives++;
	s->alive_again = s->alives == 2;
}

static void
on_told(void *ctx, enum worker_state state)
{
	struct sample *s = ctx;

	s->told = true;
	s->tolds++;
	s->state = state;
}

static const struct client_hooks client_hooks = { on_up, on_down };
static void
on_taken(void *ctx, const char *jid, bool lost)
{
	struct sample *s = ctx;

	snprintf(s->taken[s->ntaken++], sizeof s->taken[0], "%s %s",
	    lost ? "lost" : "cancel", jid);
	s->all_taken = s->ntaken == 2;
}

static const struct heartbeat_hooks hooks = { on_alive, on_told, on_taken };

static void
set_up(struct sample *s, const char *const *script, int64_t period)
{
	memset(s, 0, sizeof *s);
	peer_start(&s->peer, script);
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->client = client_new(
	    s->loop, &s->peer.who, "test", LOG_LEVEL_DEBUG, &client_hooks, s);
	s->heartbeat = heartbeat_new(
	    s->loop, s->client, s->peer.who.wid, period, &hooks, s);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	client_start(s->client);
}

static void
tear_down(struct sample *s)
{
	client_free(s->client);
	heartbeat_free(s->heartbeat);
	ev_loop_destroy(s->loop);
	peer_finish(&s->peer);
}

static void
the_first_beat_comes_at_once_and_others_follow(void **state)
{
	static const char *const script[] = { "accept", "greet",
		"< BEAT {\"wid\":\"", "> +OK", "< BEAT", "> +OK", "< BEAT",
		">> $17\r\n{\"state\":\"quiet\"}\r\n", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 20 * CLOCK_NS_PER_MS);
	assert_false(heartbeat_alive(s.heartbeat));
	turn_until(s.loop, &s.alive);
	assert_true(heartbeat_alive(s.heartbeat));
	turn_until(s.loop, &s.told);
	assert_int_equal(s.state, WORKER_QUIET);
	assert_int_equal(s.alives, 1);
	tear_down(&s);
}

static void
either_form_of_a_state_is_understood(void **state)
{
	static const struct {
		const char *reply;
		enum worker_state state;
	} cases[] = {
		{ "> $17\r\n{\"state\":\"quiet\"}", WORKER_QUIET },
		{ "> $21\r\n{\"state\":\"terminate\"}", WORKER_TERMINATE },
		{ "> +{\"state\": \"quiet\"}", WORKER_QUIET },
		{ "> +{\"state\":\"terminate\"}", WORKER_TERMINATE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *const script[] = { "accept", "greet", "< BEAT",
			cases[i].reply, NULL };
		struct sample s;

		set_up(&s, script, CLOCK_NS_PER_S);
		turn_until(s.loop, &s.told);
		assert_int_equal(s.state, cases[i].state);
		tear_down(&s);
	}
}

static void
jobs_that_are_to_end_are_named(void **state)
{
	static const char *const script[] = { "accept", "greet", "< BEAT",
		"> $43\r\n{\"cancel\":[\"job-0001\"],\"lost\":[\"job-0002\"]}",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, CLOCK_NS_PER_S);
	turn_until(s.loop, &s.all_taken);
	assert_string_equal(s.taken[0], "lost job-0002");
	assert_string_equal(s.taken[1], "cancel job-0001");
	assert_true(s.alive && !s.told);
	tear_down(&s);
}

static void
an_unknown_worker_shakes_hands_again_under_the_same_wid(void **state)
{
	char hello[200];
	const char *const script[] = { "accept", "greet", "< BEAT", "> +OK",
		"< BEAT", "> -ERR unknown worker 123", "accept",
		"> +HI {\"v\":2}", hello, "> +OK", "< BEAT", "> +OK", NULL };
	struct sample s;

	(void)state;
	snprintf(hello, sizeof hello, "< HELLO");
	set_up(&s, script, 20 * CLOCK_NS_PER_MS);
	snprintf(hello, sizeof hello, "< HELLO {\"v\":2,\"wid\":\"%s\"",
	    s.peer.who.wid);
	turn_until(s.loop, &s.alive_again);
	tear_down(&s);
}

/* Else a server that knows nobody is dialled as fast as it answers. */
static void
one_that_is_unknown_from_the_beginning_rests_first(void **state)
{
	static const char *const script[] = { "accept", "greet", "< BEAT",
		"> -ERR unknown worker 123", "accept", "greet", "< BEAT",
		"> +OK", NULL };
	struct sample s;

	(void)state;
	int64_t began = clock_mono();
	set_up(&s, script, CLOCK_NS_PER_S);
	turn_until(s.loop, &s.down);
	turn_until(s.loop, &s.alive);
	assert_true(clock_mono() - began >= 200 * CLOCK_NS_PER_MS);
	tear_down(&s);
}

static void
a_lost_conversation_is_not_alive(void **state)
{
	static const char *const script[] = { "accept", "greet", "< BEAT",
		"> +OK", "close", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, CLOCK_NS_PER_S);
	turn_until(s.loop, &s.alive);
	turn_until(s.loop, &s.down);
	assert_false(heartbeat_alive(s.heartbeat));
	tear_down(&s);
}

static void
our_own_state_is_told_at_once_and_never_taken_back(void **state)
{
	char beat[100];
	const char *const script[] = { "accept", "greet", "< BEAT", "> +OK",
		beat, "> $21\r\n{\"state\":\"terminate\"}", NULL };
	struct sample s;

	(void)state;
	snprintf(beat, sizeof beat, "< BEAT {\"wid\":\"");
	set_up(&s, script, 3600 * CLOCK_NS_PER_S);
	turn_until(s.loop, &s.alive);
	heartbeat_say(s.heartbeat, WORKER_TERMINATE);
	heartbeat_say(s.heartbeat, WORKER_QUIET);
	turn_until(s.loop, &s.told);
	assert_int_equal(s.state, WORKER_TERMINATE);
	assert_int_equal(s.tolds, 1);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_first_beat_comes_at_once_and_others_follow),
		cmocka_unit_test(either_form_of_a_state_is_understood),
		cmocka_unit_test(jobs_that_are_to_end_are_named),
		cmocka_unit_test(
		    an_unknown_worker_shakes_hands_again_under_the_same_wid),
		cmocka_unit_test(
		    one_that_is_unknown_from_the_beginning_rests_first),
		cmocka_unit_test(a_lost_conversation_is_not_alive),
		cmocka_unit_test(
		    our_own_state_is_told_at_once_and_never_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
