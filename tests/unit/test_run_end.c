/*
 * However badly a program behaves, its run ends in bounded time: at its
 * deadline or when it is told, by TERM and then KILL, for the first reason
 * that there was, and with nothing left of the program's group.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/run_scene.h"

static void
a_program_without_outputs_is_still_waited_for(void **state)
{
	struct scene *s = scene("closes-everything", "0.3", NULL);

	(void)state;
	play(s);
	exits_with(s, 5);
	assert_true(s->took >= 300 * CLOCK_NS_PER_MS);
	free(s);
}

static void
a_program_without_outputs_still_has_a_deadline(void **state)
{
	struct scene *s = scene("closes-everything", "60", NULL);

	(void)state;
	s->req.deadline = s->began + 200 * CLOCK_NS_PER_MS;
	play(s);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_TIMEOUT);
	assert_true(s->took < SECONDS(50));
	free(s);
}

static void
TERM_comes_at_the_deadline_and_not_before(void **state)
{
	struct scene *s = scene("/bin/sleep", "60", NULL);

	(void)state;
	s->req.deadline = s->began + 300 * CLOCK_NS_PER_MS;
	play(s);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_TIMEOUT);
	assert_false(s->facts.killed);
	assert_true(s->took >= 300 * CLOCK_NS_PER_MS);
	free(s);
}

static void
stop_with_a_short_grace(struct scene *s)
{
	run_stop(s->run, RUN_CANCELLED, 200 * CLOCK_NS_PER_MS);
}

static void
KILL_comes_when_TERM_is_ignored_through_the_grace(void **state)
{
	struct scene *s = scene("ignores-term", NULL);

	(void)state;
	s->at_line = stop_with_a_short_grace;
	play(s);
	killed_by(s, SIGKILL);
	assert_int_equal(s->facts.reason, RUN_CANCELLED);
	assert_true(s->facts.killed);
	assert_true(s->took >= 200 * CLOCK_NS_PER_MS);
	free(s);
}

static void
stop_twice(struct scene *s)
{
	run_stop(s->run, RUN_SHUTDOWN, SECONDS(3600));
	run_stop(s->run, RUN_LOST, 0);
	run_stop(s->run, RUN_LOST, SECONDS(3600));
}

static void
a_second_stop_makes_it_sooner_and_the_first_reason_stays(void **state)
{
	struct scene *s = scene("ignores-term", NULL);

	(void)state;
	s->at_line = stop_twice;
	play(s);
	killed_by(s, SIGKILL);
	assert_int_equal(s->facts.reason, RUN_SHUTDOWN);
	assert_true(s->took < SECONDS(60));
	free(s);
}

static void
a_stop_while_starting_takes_effect_once_started(void **state)
{
	struct scene *s = scene("/bin/sleep", "60", NULL);

	(void)state;
	start(s);
	run_stop(s->run, RUN_SHUTDOWN, SECONDS(30));
	ev_run(loop, 0);
	assert_int_equal(s->done, 1);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_SHUTDOWN);
	free(s);
}

static void
stop_after_its_end(struct scene *s)
{
	siginfo_t info;

	/* It has ended, and we have not been told yet. */
	assert_int_equal(
	    waitid(P_PID, (id_t)run_pid(s->run), &info, WEXITED | WNOWAIT), 0);
	run_stop(s->run, RUN_SHUTDOWN, SECONDS(1));
}

static void
a_stop_that_comes_too_late_is_no_reason(void **state)
{
	struct scene *s = scene("/bin/echo", "hello", NULL);

	(void)state;
	s->at_line = stop_after_its_end;
	play(s);
	exits_with(s, 0);
	free(s);
}

static void
a_stopped_program_ends_by_TERM(void **state)
{
	struct scene *s = scene("stops-itself", NULL);

	(void)state;
	s->req.deadline = s->began + 200 * CLOCK_NS_PER_MS;
	play(s);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_TIMEOUT);
	assert_string_equal(s->text[RUN_STDOUT], "ready\n");
	free(s);
}

/* While the loop's own idea of the time is old. */
static void
move_deadline_close(struct scene *s)
{
	usleep(150000);
	s->req.deadline = clock_mono() + 200 * CLOCK_NS_PER_MS;
	run_set_deadline(s->run, s->req.deadline);
}

static void
the_deadline_can_be_moved(void **state)
{
	struct scene *s =
	    scene("/bin/sh", "-c", "echo ready; exec sleep 60", NULL);

	(void)state;
	s->req.deadline = s->began + SECONDS(3600);
	s->at_line = move_deadline_close;
	play(s);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_TIMEOUT);
	assert_true(s->began + s->took >= s->req.deadline);
	free(s);
}

static void
what_is_left_in_the_group_delays_by_RUN_DRAIN_and_dies(void **state)
{
	struct scene *s = scene("leaves-a-child", "60", NULL);

	(void)state;
	play(s);
	assert_true(WIFEXITED(s->facts.status));
	assert_true(s->facts.held_open);
	assert_int_equal(s->facts.reason, RUN_BY_ITSELF);
	assert_true(s->took >= RUN_DRAIN);
	assert_true(s->took < SECONDS(50));
	assert_dies((pid_t)atoi(s->text[RUN_STDOUT]));
	free(s);
}

static void
what_is_left_with_no_output_of_ours_delays_nothing_and_dies(void **state)
{
	struct scene *s =
	    scene("/bin/sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!", NULL);

	(void)state;
	play(s);
	exits_with(s, 0);
	assert_false(s->facts.held_open);
	assert_dies((pid_t)atoi(s->text[RUN_STDOUT]));
	free(s);
}

static void
what_escaped_the_group_cannot_hold_the_run(void **state)
{
	struct scene *s = scene("escape", "60", NULL);

	(void)state;
	play(s);
	assert_true(s->facts.held_open);
	assert_true(s->took >= RUN_DRAIN);
	assert_true(s->took < SECONDS(50));
	pid_t pid = (pid_t)atoi(s->text[RUN_STDOUT]);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0); /* it was alive */
	free(s);
}

static void
output_of_a_grandchild_is_read_to_its_end(void **state)
{
	struct scene *s =
	    scene("/bin/sh", "-c", "(sleep 0.3; echo late) & echo early", NULL);

	(void)state;
	play(s);
	exits_with(s, 0);
	assert_string_equal(s->text[RUN_STDOUT], "early\nlate\n");
	free(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RUN_TEST(a_program_without_outputs_is_still_waited_for),
		RUN_TEST(a_program_without_outputs_still_has_a_deadline),
		RUN_TEST(TERM_comes_at_the_deadline_and_not_before),
		RUN_TEST(KILL_comes_when_TERM_is_ignored_through_the_grace),
		RUN_TEST(
		    a_second_stop_makes_it_sooner_and_the_first_reason_stays),
		RUN_TEST(a_stop_while_starting_takes_effect_once_started),
		RUN_TEST(a_stop_that_comes_too_late_is_no_reason),
		RUN_TEST(a_stopped_program_ends_by_TERM),
		RUN_TEST(the_deadline_can_be_moved),
		RUN_TEST(
		    what_is_left_in_the_group_delays_by_RUN_DRAIN_and_dies),
		RUN_TEST(
		    what_is_left_with_no_output_of_ours_delays_nothing_and_dies),
		RUN_TEST(what_escaped_the_group_cannot_hold_the_run),
		RUN_TEST(output_of_a_grandchild_is_read_to_its_end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
