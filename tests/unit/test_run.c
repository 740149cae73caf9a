/*
 * run: however a program reads its input and writes, all of its output and its
 * messages are seen, up to their ceilings, and the facts of its end are as
 * they were.
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

#include <cmocka.h>

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

/* ---- the control descriptor ----------------------------------------------- */

static struct scene *
talker(const char *text)
{
	struct scene *s = scene("/bin/sh", "-c", text, NULL);

	s->req.spawn.control = true;
	s->req.message_max = 10;
	return s;
}

static void
messages_are_neither_output_nor_tail(void **state)
{
	struct scene *s =
	    talker("echo 0123456789 >&3; echo 01234567890 >&3; echo x; "
		   "printf end >&3");

	(void)state;
	s->req.output_limit = 2;
	s->req.kill_at_limit = true;
	play(s);
	exits_with(s, 0);
	assert_string_equal(s->said, "0123456789\n0123456789+0\nend\n");
	assert_string_equal(s->text[RUN_STDOUT], "x\n");
	assert_true(s->facts.spoke);
	assert_false(s->facts.output_cut);
	assert_int_equal(s->facts.tail_len, 0);
	free(s);
}

static void
closing_it_early_is_no_end(void **state)
{
	struct scene *s = talker("exec 3>&-; sleep 0.1; echo later; exit 4");

	(void)state;
	play(s);
	exits_with(s, 4);
	assert_string_equal(s->text[RUN_STDOUT], "later\n");
	assert_false(s->facts.spoke);
	free(s);
}

static void
a_child_that_holds_it_open_is_not_waited_for(void **state)
{
	struct scene *s = talker("sleep 600 >/dev/null 2>&1 & echo hi >&3");

	(void)state;
	play(s);
	assert_true(s->facts.held_open);
	assert_true(s->took < SECONDS(60));
	assert_string_equal(s->said, "hi\n");
	free(s);
}

static void
without_control_it_is_closed(void **state)
{
	struct scene *s = talker("echo x >&3");

	(void)state;
	s->req.spawn.control = false;
	play(s);
	assert_true(WIFEXITED(s->facts.status));
	assert_int_not_equal(WEXITSTATUS(s->facts.status), 0);
	assert_string_equal(s->said, "");
	free(s);
}

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
