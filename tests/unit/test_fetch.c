/*
 * One question waits in the server while there is a slot; jobs that come at
 * once bring more questions, errors bring fewer; nothing is asked without
 * room.
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

static size_t
on_room(void *ctx)
{
	struct sample *s = ctx;

	return s->room;
}

static size_t
on_places(void *ctx, const char *queue)
{
	struct sample *s = ctx;

	return queue[0] == s->limited ? s->places : SIZE_MAX;
}

static size_t
on_sure(void *ctx, const char *queue)
{
	struct sample *s = ctx;

	return queue[0] == s->narrow ? s->sure : SIZE_MAX;
}

static bool
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

static void
on_none(void *ctx)
{
	struct sample *s = ctx;

	s->none = true;
	s->nones++;
}

/* Says as its only jid how many jobs have come. */
static int
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

static void
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

static void
tear_down(struct sample *s)
{
	fetch_free(s->fetch);
	ev_loop_destroy(s->loop);
	peer_finish(&s->peer);
}

/* Else a server that has nothing else is asked as fast as it answers. */
static void
what_is_no_job_is_followed_by_a_rest(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH a b",
		"> $6\r\nno job", "< FETCH a b", "> $3\r\njob", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 5);
	turn_until(s.loop, &s.none);
	int64_t then = s.got_at;
	s.got = false;
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - then >= 900 * CLOCK_NS_PER_MS);
	tear_down(&s);
}

static void
a_job_is_handed_on_and_the_next_asked_for_at_once(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH a b",
		"wait", "> $5\r\n{job}", "< FETCH a b", "> $-1", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 5);
	/* The reservation counts from before the question. */
	while (fetch_in_flight(s.fetch) == 0)
		ev_run(s.loop, EVRUN_ONCE);
	int64_t before = clock_mono();
	peer_go(&s.peer);
	turn_until(s.loop, &s.got);
	assert_string_equal(s.last, "{job}");
	assert_true(s.asked_at <= before);
	turn_until(s.loop, &s.none);
	assert_int_equal(s.gots, 1);
	tear_down(&s);
}

static void
nothing_is_asked_without_room(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $5\r\n{one}", "wait", "< FETCH", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 0);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	ev_run(s.loop, EVRUN_NOWAIT);
	s.room = 1;
	fetch_poke(s.fetch);
	turn_until(s.loop, &s.got);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.got = false;
	s.room = 1;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	peer_go(&s.peer);
	turn_until(s.loop, &s.got);
	assert_string_equal(s.last, "{two}");
	tear_down(&s);
}

static void
an_error_is_followed_by_a_pause(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> -ERR context deadline exceeded", "< FETCH", "> $5\r\n{job}",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	int64_t began = clock_mono();
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - began >= CLOCK_NS_PER_S);
	tear_down(&s);
}

static void
an_empty_answer_that_comes_too_soon_is_no_reason_to_hurry(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $-1", "< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	int64_t began = clock_mono();
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - began >= 300 * CLOCK_NS_PER_MS);
	tear_down(&s);
}

static void
a_lost_question_is_asked_again(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"close", "accept", "greet", "< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.got);
	assert_true(s.nones > 0);
	tear_down(&s);
}

/* A password that was refused is asked again after half a minute; when there
 * may be another, at once. */
static void
a_conversation_that_rests_can_be_hurried(void **state)
{
	static const char *const script[] = { "accept", "> +HI {\"v\":2}",
		"< HELLO ", "> -ERR Invalid password", "accept", "greet",
		"< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	int64_t refused = clock_mono();
	fetch_hurry(s.fetch);
	turn_until(s.loop, &s.got);
	assert_true(s.got_at - refused < 25 * CLOCK_NS_PER_S);
	tear_down(&s);
}

static void
jobs_that_come_at_once_open_a_second_conversation(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $5\r\n{job}", "< FETCH", "> $5\r\n{job}", "< FETCH",
		"> $5\r\n{job}", "< FETCH", "> $5\r\n{job}", "accept", "greet",
		"< FETCH", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	while (strcmp(s.last, "{two}") != 0) {
		turn_until(s.loop, &s.got);
		s.got = false;
	}
	assert_int_equal(s.gots, 5);
	tear_down(&s);
}

static void
one_question_waits_when_jobs_are_few(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH",
		"> $5\r\n{job}", "< FETCH", "wait", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	turn_until(s.loop, &s.got);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	ev_run(s.loop, EVRUN_NOWAIT); /* sends it */
	peer_go(&s.peer);
	tear_down(&s);
}

/* With the first job the queue gets its first place. */
static void
a_queue_without_a_place_is_left_out(void **state)
{
	static const char *const script[] = { "accept", "greet", "< FETCH b",
		"> $5\r\n{one}", "< FETCH a b", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	s.limited = 'a';
	turn_until(s.loop, &s.got);
	s.got = false;
	turn_until(s.loop, &s.got);
	assert_string_equal(s.last, "{two}");
	tear_down(&s);
}

#define OFFERS                                                                 \
	"accept", "> +HI {\"v\":2,\"x\":[\"fetchb\"]}", "< HELLO ", "> +OK"

static void
got(struct sample *s, size_t jobs)
{
	while (s->gots < jobs) {
		turn_until(s->loop, &s->got);
		s->got = false;
	}
	assert_int_equal(s->gots, jobs);
}

/* One question for as many jobs as there are slots; what came is handed on in
 * order, and what it leaves room for is asked for. */
static void
a_server_that_can_is_asked_for_several(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 5 a b",
		"> *2\r\n$5\r\n{one}\r\n$5\r\n{two}", "< FETCHB 3 a b",
		"> *1\r\n$5\r\n{thr}", "< FETCHB 2 a b", "wait", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 5);
	got(&s, 3);
	assert_string_equal(s.last, "{thr}");
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	ev_run(s.loop, EVRUN_NOWAIT);
	peer_go(&s.peer);
	tear_down(&s);
}

static void
there_is_a_ceiling_and_one_is_a_plain_question(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 16 a b",
		"> *1\r\n$5\r\n{one}", "wait", "< FETCH a b", "> $5\r\n{two}",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	while (fetch_in_flight(s.fetch) == 0)
		ev_run(s.loop, EVRUN_ONCE);
	s.room = 2;
	got(&s, 1);
	peer_go(&s.peer);
	got(&s, 2);
	assert_string_equal(s.last, "{two}");
	tear_down(&s);
}

/*
 * While jobs of one answer are handed on, those behind them have their slots
 * already: nothing more is asked for, however often it is tried.
 */
static void
jobs_that_have_come_are_not_asked_for_again(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 3 a b",
		"> *3\r\n$5\r\n{one}\r\n$5\r\n{two}\r\n$5\r\n{thr}", "wait",
		"< FETCH a b", "> $5\r\n{new}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 3);
	s.greedy = true;
	got(&s, 3);
	assert_int_equal(fetch_asked(s.fetch), 1);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.greedy = false;
	s.room = 1;
	fetch_poke(s.fetch);
	peer_go(&s.peer);
	got(&s, 4);
	tear_down(&s);
}

/* A queue has a limit of its own in the line; one whose jobs may have to wait
 * is asked for one job, so that no more than one does. */
static void
limits_bound_what_is_asked_for(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCHB 6 a:2 b",
		"> *1\r\n$5\r\n{one}", "wait", "< FETCHB 3 a:1 b",
		"> *1\r\n$5\r\n{two}", "wait", "< FETCH a b", "> $5\r\n{thr}",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 6);
	s.limited = 'a';
	s.places = 2;
	while (fetch_in_flight(s.fetch) == 0)
		ev_run(s.loop, EVRUN_ONCE);
	s.narrow = 'b';
	s.sure = 3;
	got(&s, 1);
	s.sure = 0;
	peer_go(&s.peer);
	got(&s, 2);
	peer_go(&s.peer);
	got(&s, 3);
	tear_down(&s);
}

/* More than was asked for would have no slots: it is told, not run. */
static void
more_than_was_asked_for_is_no_answer(void **state)
{
	static const char *const script[] = { OFFERS, "< FETCH a b",
		"> *2\r\n$5\r\n{one}\r\n$5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 1);
	turn_until(s.loop, &s.none);
	assert_int_equal(s.gots, 0);
	tear_down(&s);
}

/* A server that did not name the extension never sees the verb. */
static void
a_stock_server_is_asked_for_one(void **state)
{
	static const char *const script[] = { "accept",
		"> +HI {\"v\":2,\"x\":[\"release\",\"fetch\"]}", "< HELLO ",
		"> +OK", "< FETCH a b", "> $5\r\n{one}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 1);
	tear_down(&s);
}

#define OFFERS_HELD "> +HI {\"v\":2,\"x\":[\"held\"]}", "< HELLO ", "> +OK"

/* A process does not know what one before it of the same name has left. */
static void
what_is_here_is_told_before_the_first_question(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD,
		"< HELD {\"jids\":[\"0\"]}", "> +OK", "< FETCH a b",
		"> $5\r\n{one}", "< FETCH a b", "> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 2);
	tear_down(&s);
}

/* A conversation that ends without a question is taken up without it. */
static void
what_is_here_is_told_after_a_lost_question(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "< HELD ",
		"> +OK", "< FETCH", "> $5\r\n{one}", "< FETCH", "close",
		"accept", OFFERS_HELD, "< HELD {\"jids\":[\"1\"]}", "close",
		"accept", OFFERS_HELD, "< HELD {\"jids\":[\"1\"]}", "> +OK",
		"< FETCH", "> $5\r\n{two}", "wait", "close", "accept",
		OFFERS_HELD, "< FETCH", "> $5\r\n{tri}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 2);
	got(&s, 2);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.none = false;
	peer_go(&s.peer);
	turn_until(s.loop, &s.none);
	s.room = 1;
	got(&s, 3);
	tear_down(&s);
}

/* What it brings belongs to what is here. */
static void
an_open_question_is_waited_for(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "< HELD ",
		"> +OK", "< FETCH", "> $5\r\n{job}", "< FETCH", "> $5\r\n{job}",
		"< FETCH", "> $5\r\n{job}", "< FETCH", "> $5\r\n{job}",
		"< FETCH", "also", OFFERS_HELD, "< FETCH", "close", "swap",
		"wait", "> $5\r\n{end}", "< HELD {\"jids\":[\"5\"]}", "> +OK",
		"< FETCH", "> $5\r\n{new}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 4);
	s.none = false;
	turn_until(s.loop, &s.none);
	assert_int_equal(s.gots, 4);
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	assert_false(fetch_is_telling(s.fetch));
	peer_go(&s.peer);
	s.got = false;
	got(&s, 6);
	assert_string_equal(s.last, "{new}");
	tear_down(&s);
}

/* Neither that nor anything else is asked for while it must not be said. */
static void
nothing_is_asked_until_it_may_be_told(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "wait",
		"< HELD ", "> +OK", "< FETCH", "> $5\r\n{job}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	s.secretive = true;
	/* Until it is connected, and no further. */
	while (!s.asked_to_tell)
		ev_run(s.loop, EVRUN_ONCE);
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 0);
	s.secretive = false;
	fetch_poke(s.fetch);
	assert_int_equal(fetch_in_flight(s.fetch), 1);
	assert_true(fetch_is_telling(s.fetch));
	peer_go(&s.peer);
	got(&s, 1);
	tear_down(&s);
}

/* Jobs are asked for all the same, and not each time after it. */
static void
a_refusal_stops_nothing(void **state)
{
	static const char *const script[] = { "accept", OFFERS_HELD, "< HELD ",
		"> -ERR not written to disk: full", "< FETCH", "> $5\r\n{one}",
		"< FETCH", "close", "accept", OFFERS_HELD, "< FETCH",
		"> $5\r\n{two}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script, 100);
	got(&s, 2);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_job_is_followed_by_a_rest),
		cmocka_unit_test(
		    a_job_is_handed_on_and_the_next_asked_for_at_once),
		cmocka_unit_test(nothing_is_asked_without_room),
		cmocka_unit_test(an_error_is_followed_by_a_pause),
		cmocka_unit_test(
		    an_empty_answer_that_comes_too_soon_is_no_reason_to_hurry),
		cmocka_unit_test(a_lost_question_is_asked_again),
		cmocka_unit_test(a_conversation_that_rests_can_be_hurried),
		cmocka_unit_test(
		    jobs_that_come_at_once_open_a_second_conversation),
		cmocka_unit_test(one_question_waits_when_jobs_are_few),
		cmocka_unit_test(a_queue_without_a_place_is_left_out),
		cmocka_unit_test(a_server_that_can_is_asked_for_several),
		cmocka_unit_test(
		    there_is_a_ceiling_and_one_is_a_plain_question),
		cmocka_unit_test(jobs_that_have_come_are_not_asked_for_again),
		cmocka_unit_test(limits_bound_what_is_asked_for),
		cmocka_unit_test(more_than_was_asked_for_is_no_answer),
		cmocka_unit_test(a_stock_server_is_asked_for_one),
		cmocka_unit_test(
		    what_is_here_is_told_before_the_first_question),
		cmocka_unit_test(what_is_here_is_told_after_a_lost_question),
		cmocka_unit_test(an_open_question_is_waited_for),
		cmocka_unit_test(nothing_is_asked_until_it_may_be_told),
		cmocka_unit_test(a_refusal_stops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
