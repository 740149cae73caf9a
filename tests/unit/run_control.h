/*
 * run_control - what test_run.c asks of the control descriptor: its lines are
 * told up to their ceiling, and are neither output nor a reason to wait.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_RUN_CONTROL_H
#define TESTS_UNIT_RUN_CONTROL_H

#include "tests/unit/run_scene.h"

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

#endif
