/*
 * When the output of a program is read: soon after its start, with its end,
 * and by a successor; and the deadline holds all the while.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/run.h"

#include "base/buf.h"
#include "base/state.h"
#include "tests/unit/run_scene.h"

/* It must not turn any more, and nothing frees it. */
static struct run *abandoned;

static void
until_it_has_started(struct scene *s)
{
	start(s);
	while (run_pid(s->run) == 0)
		ev_run(loop, EVRUN_ONCE);
}

static void
cancel(struct scene *s)
{
	run_stop(s->run, RUN_CANCELLED, SECONDS(30));
}

static void
what_goes_on_is_read_meanwhile(void **state)
{
	struct scene *s =
	    scene("/bin/sh", "-c", "echo one; exec sleep 600", NULL);

	(void)state;
	s->at_line = cancel;
	play(s);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_CANCELLED);
	free(s);
}

/* More than its pipe holds, so that it cannot end before it is read. */
static void
what_fills_its_pipe_at_once_is_read_too(void **state)
{
	struct scene *s = scene("flood", "1", NULL);

	(void)state;
	play(s);
	exits_with(s, 0);
	assert_int_equal(s->bytes[RUN_STDOUT], (size_t)1 << 20);
	free(s);
}

static void
a_deadline_that_is_moved_before_the_first_reading_holds(void **state)
{
	struct scene *s = scene("/bin/sleep", "600", NULL);

	(void)state;
	until_it_has_started(s);
	run_set_deadline(s->run, clock_mono());
	ev_run(loop, 0);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_TIMEOUT);
	free(s);
}

/* The timer of the first reading is no deadline for the one that goes on. */
static void
one_that_is_carried_over_at_once_has_its_time(void **state)
{
	struct scene *s = scene(
	    "/bin/sh", "-c", "sleep 0.05; echo one; exec sleep 600", NULL);
	struct ev_loop *before = loop;
	struct state_writer w;
	struct state_reader r;
	struct buf *bytes = buf_new(1 << 20);

	(void)state;
	until_it_has_started(s);
	assert_int_equal(state_writer_init(&w, 1 << 20), 0);
	run_save(s->run, &w);
	abandoned = s->run;
	assert_int_equal(state_seal(&w, 1, bytes), 0);
	state_writer_clear(&w);

	loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	assert_int_equal(
	    state_open(&r, buf_front(bytes), buf_len(bytes), 1), 0);
	s->at_line = cancel;
	s->run = run_load(loop, &r, &s->req, &hooks, s);
	assert_non_null(s->run);
	ev_run(loop, 0);
	assert_string_equal(s->text[RUN_STDOUT], "one\n");
	assert_int_equal(s->facts.reason, RUN_CANCELLED);
	buf_free(bytes);
	ev_loop_destroy(loop);
	loop = before;
	assert_non_null(abandoned);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(what_goes_on_is_read_meanwhile),
		RUN_TEST(what_fills_its_pipe_at_once_is_read_too),
		RUN_TEST(
		    a_deadline_that_is_moved_before_the_first_reading_holds),
		/* What a loop that is left behind has open stays so. */
		cmocka_unit_test_setup_teardown(
		    one_that_is_carried_over_at_once_has_its_time, begin, end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
