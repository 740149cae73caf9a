/*
 * outlet: everything that is written comes out once, in bounded turns, what
 * the owner does not want becomes no line, and the end is told.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINE_MAX_BYTES = 16, SEEN_MAX = 1024 };

struct owner {
	struct outlet outlet;
	int pipe; /* we write */
	size_t taken, largest, wanted, turns;
	char lines[SEEN_MAX]; /* each ended by '|', a piece by '+' */
};

static size_t
take(struct outlet *o, const char *bytes, size_t len)
{
	struct owner *w = o->ctx;
	size_t left = w->wanted - w->taken;

	assert_non_null(bytes);
	w->taken += len;
	if (len > w->largest)
		w->largest = len;
	return len < left ? len : left;
}

static void
line(struct outlet *o, const char *bytes, size_t len, bool more)
{
	struct owner *w = o->ctx;
	size_t used = strlen(w->lines);

	snprintf(w->lines + used, SEEN_MAX - used, "%.*s%c", (int)len, bytes,
	    more ? '+' : '|');
}

static void
turned(struct outlet *o)
{
	struct owner *w = o->ctx;

	w->turns++;
}

static const struct outlet_hooks hooks = { take, line, turned };

static int
setup(void **state)
{
	struct owner *w = calloc(1, sizeof *w);
	int fds[2];

	assert_non_null(w);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	w->pipe = fds[1];
	w->wanted = SIZE_MAX / 2;
	assert_int_equal(outlet_init(&w->outlet, ev_loop_new(EVFLAG_AUTO),
			     LINE_MAX_BYTES, &hooks, w),
	    0);
	assert_false(outlet_is_open(&w->outlet));
	outlet_open(&w->outlet, fds[0]);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct owner *w = *state;

	outlet_close(&w->outlet);
	outlet_clear(&w->outlet);
	ev_loop_destroy(w->outlet.loop);
	if (w->pipe >= 0)
		close(w->pipe);
	free(w);
	return 0;
}

static void
say(struct owner *w, const char *text)
{
	assert_int_equal(write(w->pipe, text, strlen(text)), strlen(text));
}

static void
hang_up(struct owner *w)
{
	close(w->pipe);
	w->pipe = -1;
}

static void
lines_come_as_they_are_written(void **state)
{
	struct owner *w = *state;

	outlet_watch(&w->outlet);
	say(w, "one\ntwo");
	ev_run(w->outlet.loop, EVRUN_ONCE);
	assert_string_equal(w->lines, "one|");
	say(w, "\n0123456789abcdefgh");
	hang_up(w);
	ev_run(w->outlet.loop, 0);
	assert_string_equal(w->lines, "one|two|0123456789abcdef+gh|");
	assert_false(outlet_is_open(&w->outlet));
	assert_int_equal(w->turns, 3); /* the last saw the end */
}

static void
what_is_not_wanted_is_read_and_is_no_line(void **state)
{
	struct owner *w = *state;

	outlet_watch(&w->outlet);
	w->wanted = 6;
	say(w, "one\ntwo\nthree\n");
	hang_up(w);
	ev_run(w->outlet.loop, 0);
	assert_int_equal(w->taken, 14);
	assert_string_equal(w->lines, "one|tw|");
}

static void
a_turn_is_bounded(void **state)
{
	struct owner *w = *state;
	static const char much[4 * OUTLET_TURN_MAX];

	outlet_watch(&w->outlet);
	assert_true(fcntl(w->pipe, F_SETPIPE_SZ, sizeof much) > 0);
	w->wanted = 0;
	ssize_t n = write(w->pipe, much, sizeof much);
	assert_true(n > OUTLET_TURN_MAX);
	ev_run(w->outlet.loop, EVRUN_ONCE);
	assert_int_equal(w->taken, OUTLET_TURN_MAX);
	hang_up(w);
	ev_run(w->outlet.loop, 0);
	assert_int_equal(w->taken, n);
	assert_int_equal(w->largest, OUTLET_TURN_MAX);
}

static void
a_pull_calls_no_turn_and_finds_what_is_there(void **state)
{
	struct owner *w = *state;

	outlet_pull(&w->outlet);
	assert_true(outlet_is_open(&w->outlet)); /* empty is no end */
	say(w, "now\n");
	outlet_pull(&w->outlet);
	assert_string_equal(w->lines, "now|");
	hang_up(w);
	outlet_pull(&w->outlet);
	assert_false(outlet_is_open(&w->outlet));
	outlet_pull(&w->outlet);
	assert_int_equal(w->turns, 0);
}

/* Else the loop would wake up for each stream of the shortest program. */
static void
nothing_is_read_before_it_is_watched(void **state)
{
	struct owner *w = *state;

	say(w, "one\n");
	hang_up(w);
	assert_false(ev_run(w->outlet.loop, EVRUN_NOWAIT));
	assert_string_equal(w->lines, "");
	assert_true(outlet_is_open(&w->outlet));
	outlet_watch(&w->outlet);
	outlet_watch(&w->outlet);
	ev_run(w->outlet.loop, 0);
	assert_string_equal(w->lines, "one|");
	outlet_watch(&w->outlet); /* closed: nothing */
	assert_false(ev_run(w->outlet.loop, EVRUN_NOWAIT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    lines_come_as_they_are_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_is_not_wanted_is_read_and_is_no_line, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_turn_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_pull_calls_no_turn_and_finds_what_is_there, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_is_read_before_it_is_watched, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
