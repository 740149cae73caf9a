/*
 * run: however badly a program behaves, the run ends in bounded time with the
 * facts as they were, all output seen, and nothing of the program left.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/run.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/run_control.h"
#include "tests/unit/run_scene.h"

static void
output_status_and_usage_are_told(void **state)
{
	struct scene *s = scene("/bin/sh", "-c",
	    "echo one; echo two; echo three >&2; printf four; exit 3", NULL);

	(void)state;
	play(s);
	exits_with(s, 3);
	assert_string_equal(s->text[RUN_STDOUT], "one\ntwo\nfour\n");
	assert_string_equal(s->text[RUN_STDERR], "three\n");
	assert_string_equal(s->tail, "three\n");
	assert_true(s->facts.elapsed > 0);
	assert_true(s->facts.usage.ru_maxrss > 0);
	assert_false(s->facts.output_cut);
	free(s);
}

static void
a_program_that_cannot_start_is_told_from_the_loop(void **state)
{
	struct scene *s = scene("/no/such/program", NULL);

	(void)state;
	play(s);
	assert_false(s->facts.started);
	assert_int_equal(s->facts.why.stage, SPAWN_EXEC);
	assert_int_equal(s->facts.why.errnum, ENOENT);
	assert_int_equal(s->facts.tail_len, 0);
	free(s);
}

static void
input_and_output_of_10_MB_flow_at_once(void **state)
{
	enum { SIZE = 10 << 20, LINE = 100 };
	char *input = malloc(SIZE);
	struct scene *s = scene("/bin/cat", NULL);

	(void)state;
	assert_non_null(input);
	memset(input, 'a', SIZE);
	for (size_t i = LINE - 1; i < SIZE; i += LINE)
		input[i] = '\n';
	s->req.spawn.feed = true;
	s->req.input = input;
	s->req.input_len = SIZE;
	play(s);
	exits_with(s, 0);
	assert_int_equal(s->lines[RUN_STDOUT], SIZE / LINE + 1);
	assert_int_equal(s->bytes[RUN_STDOUT], SIZE - SIZE / LINE);
	free(input);
	free(s);
}

static void
a_line_of_100_MB_comes_in_pieces(void **state)
{
	struct scene *s = scene("flood", "100", NULL);

	(void)state;
	play(s);
	exits_with(s, 0);
	assert_int_equal(s->bytes[RUN_STDOUT], (size_t)100 << 20);
	assert_int_equal(s->lines[RUN_STDOUT], 1);
	assert_true(s->longest <= RUN_LINE_MAX);
	free(s);
}

static void
a_program_that_never_reads_its_input_succeeds(void **state)
{
	enum { SIZE = 1 << 20 };
	char *input = calloc(1, SIZE);

	(void)state;
	assert_non_null(input);
	for (int i = 0; i < 20; i++) {
		struct scene *s = scene("never-reads", NULL);
		s->req.spawn.feed = true;
		s->req.input = input;
		s->req.input_len = SIZE;
		play(s);
		exits_with(s, 0);
		free(s);
	}
	free(input);
}

static void
a_program_that_closes_its_input_and_goes_on_costs_no_turns(void **state)
{
	enum { SIZE = 1 << 20 };
	char *input = calloc(1, SIZE);
	struct scene *s =
	    scene("/bin/sh", "-c", "exec <&-; sleep 0.3; echo end", NULL);

	(void)state;
	assert_non_null(input);
	s->req.spawn.feed = true;
	s->req.input = input;
	s->req.input_len = SIZE;
	play(s);
	exits_with(s, 0);
	assert_true(ev_iteration(loop) < 100);
	free(input);
	free(s);
}

static void
empty_input_is_the_end_of_file_at_once(void **state)
{
	struct scene *s = scene("/bin/sh", "-c", "cat; echo end", NULL);

	(void)state;
	s->req.spawn.feed = true;
	s->req.input = "";
	play(s);
	exits_with(s, 0);
	assert_string_equal(s->text[RUN_STDOUT], "end\n");
	free(s);
}

static void
a_program_without_outputs_is_still_waited_for(void **state)
{
	struct scene *s = scene("closes-everything", "0.3", NULL);

	(void)state;
	play(s);
	exits_with(s, 5);
	assert_true(s->facts.elapsed >= 290 * CLOCK_NS_PER_MS);
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

static void
the_tail_is_the_end_of_stderr(void **state)
{
	struct scene *s = scene(
	    "/bin/sh", "-c", "seq 100000 >&2; echo the end >&2; exit 1", NULL);

	(void)state;
	play(s);
	exits_with(s, 1);
	assert_int_equal(s->facts.tail_len, RUN_TAIL_MAX);
	const char *end = "99999\n100000\nthe end\n";
	assert_memory_equal(
	    s->tail + RUN_TAIL_MAX - strlen(end), end, strlen(end));
	assert_int_equal(s->lines[RUN_STDERR], 100001);
	free(s);
}

static void
output_above_the_limit_is_dropped_but_read(void **state)
{
	struct scene *s = scene(
	    "/bin/sh", "-c", "seq 100000; echo the reason >&2; exit 4", NULL);

	(void)state;
	s->req.output_limit = 1000;
	play(s);
	exits_with(s, 4);
	assert_true(s->facts.output_cut);
	/* Line ends count: fewer bytes in lines than in the stream. */
	assert_true(s->bytes[RUN_STDOUT] < 1000);
	assert_true(s->bytes[RUN_STDOUT] + s->lines[RUN_STDOUT] >= 1000);
	assert_int_equal(s->lines[RUN_STDERR], 0);
	assert_string_equal(s->tail, "the reason\n");
	free(s);
}

static void
exactly_the_limit_is_not_above_it(void **state)
{
	struct scene *s = scene("/bin/echo", "123456789", NULL);

	(void)state;
	s->req.output_limit = 10;
	s->req.kill_at_limit = true;
	play(s);
	exits_with(s, 0);
	assert_false(s->facts.output_cut);
	free(s);
}

static void
output_above_the_limit_kills_when_so_asked(void **state)
{
	struct scene *s = scene("/usr/bin/yes", NULL);

	(void)state;
	s->req.output_limit = 100000;
	s->req.kill_at_limit = true;
	play(s);
	killed_by(s, SIGTERM);
	assert_int_equal(s->facts.reason, RUN_OUTPUT_LIMIT);
	assert_true(s->facts.output_cut);
	assert_int_equal(s->lines[RUN_STDOUT], 50000);
	free(s);
}

static void
wait_for_its_end(struct scene *s)
{
	siginfo_t info;

	waitid(P_PID, (id_t)run_pid(s->run), &info, WEXITED | WNOWAIT);
}

/* It has ended when its second line is looked at, and is no success. */
static void
a_quick_program_above_the_limit_has_the_same_reason(void **state)
{
	struct scene *s =
	    scene("/bin/sh", "-c", "echo a; sleep 0.1; echo 123456789", NULL);

	(void)state;
	s->req.output_limit = 5;
	s->req.kill_at_limit = true;
	s->at_line = wait_for_its_end;
	play(s);
	assert_true(WIFEXITED(s->facts.status));
	assert_int_equal(s->facts.reason, RUN_OUTPUT_LIMIT);
	assert_string_equal(s->text[RUN_STDOUT], "a\n123\n");
	free(s);
}

static void
a_signal_is_in_the_status(void **state)
{
	struct scene *s = scene("segfaults", NULL);

	(void)state;
	play(s);
	killed_by(s, SIGSEGV);
	assert_int_equal(s->facts.reason, RUN_BY_ITSELF);
	assert_string_equal(s->tail, "about to crash\n");
	free(s);
}

static void
many_runs_share_the_loop(void **state)
{
	enum { MANY = 60 };
	struct scene *all[MANY];
	char n[16], want[32];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(n, sizeof n, "%d", i);
		all[i] = scene(
		    "/bin/sh", "-c", "read n; echo $n; exit $1", "sh", n, NULL);
		all[i]->req.spawn.feed = true;
		all[i]->req.input = all[i]->words[4];
		all[i]->req.input_len = strlen(all[i]->words[4]);
		start(all[i]);
	}
	ev_run(loop, 0);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(all[i]->done, 1);
		exits_with(all[i], i);
		snprintf(want, sizeof want, "%d\n", i);
		assert_string_equal(all[i]->text[RUN_STDOUT], want);
		free(all[i]);
	}
}

static size_t descriptors_before;

static int
begin(void **state)
{
	(void)state;
	descriptors_before = open_descriptors();
	loop = ev_loop_new(EVFLAG_AUTO);
	spawner = loop != NULL ? spawner_new(loop) : NULL;
	return spawner != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	spawner_free(spawner);
	ev_loop_destroy(loop);
	return open_descriptors() == descriptors_before ? 0 : -1;
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		RUN_TEST(output_status_and_usage_are_told),
		RUN_TEST(a_program_that_cannot_start_is_told_from_the_loop),
		RUN_TEST(input_and_output_of_10_MB_flow_at_once),
		RUN_TEST(a_line_of_100_MB_comes_in_pieces),
		RUN_TEST(a_program_that_never_reads_its_input_succeeds),
		RUN_TEST(
		    a_program_that_closes_its_input_and_goes_on_costs_no_turns),
		RUN_TEST(empty_input_is_the_end_of_file_at_once),
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
		RUN_TEST(the_tail_is_the_end_of_stderr),
		RUN_TEST(output_above_the_limit_is_dropped_but_read),
		RUN_TEST(exactly_the_limit_is_not_above_it),
		RUN_TEST(output_above_the_limit_kills_when_so_asked),
		RUN_TEST(a_quick_program_above_the_limit_has_the_same_reason),
		RUN_TEST(a_signal_is_in_the_status),
		RUN_TEST(many_runs_share_the_loop),
		RUN_TEST(messages_are_neither_output_nor_tail),
		RUN_TEST(closing_it_early_is_no_end),
		RUN_TEST(a_child_that_holds_it_open_is_not_waited_for),
		RUN_TEST(without_control_it_is_closed),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
