/*
 * A program's lines reach the log with their job, at the level they ask for,
 * and never more of them a second than the operator allows.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/heard_log.h"

static char jobtype[] = "resize";

static void
say(struct output *o, struct output_place *at, const char *text, bool more)
{
	output_line(o, "j1", at, RUN_STDERR, text, strlen(text), more);
}

static void
lines_are_tagged_and_levelled(void **state)
{
	const struct handler how = { .jobtype = jobtype, .log_rate = 100 };
	struct output o = { .how = &how };
	struct output_place at = { 0 };
	struct heard heard;

	(void)state;
	heard_begin(&heard);
	output_line(&o, "j1", &at, RUN_STDOUT, "plain", 5, false);
	say(&o, &at, "<3>bad", false);
	say(&o, &at, "<4>odd", false);
	say(&o, &at, "<5>note", false);
	say(&o, &at, "<7>fine", false);
	say(&o, &at, "<8>no prefix", false);
	say(&o, &at, "<3", false);
	say(&o, &at, "", false);
	heard_end(&heard);
	assert_string_equal(heard.text,
	    "<6>jid=j1 type=resize stream=stdout  plain\n"
	    "<3>jid=j1 type=resize stream=stderr  bad\n"
	    "<4>jid=j1 type=resize stream=stderr  odd\n"
	    "<6>jid=j1 type=resize stream=stderr  note\n"
	    "<7>jid=j1 type=resize stream=stderr  fine\n"
	    "<6>jid=j1 type=resize stream=stderr  <8>no prefix\n"
	    "<6>jid=j1 type=resize stream=stderr  <3\n"
	    "<6>jid=j1 type=resize stream=stderr  \n");
}

static void
pieces_of_a_long_line_are_marked_and_keep_its_level(void **state)
{
	const struct handler how = { .jobtype = jobtype, .log_rate = 100 };
	struct output o = { .how = &how };
	struct output_place at = { 0 };
	struct heard heard;

	(void)state;
	heard_begin(&heard);
	say(&o, &at, "<4>one", true);
	say(&o, &at, "<3>two", false);
	say(&o, &at, "next", false);
	heard_end(&heard);
	assert_string_equal(heard.text,
	    "<4>jid=j1 type=resize stream=stderr  one\xe2\x80\xa6\n"
	    "<4>jid=j1 type=resize stream=stderr  <3>two\n"
	    "<6>jid=j1 type=resize stream=stderr  next\n");
}

static void
lines_above_the_rate_are_counted_and_told(void **state)
{
	const struct handler how = { .jobtype = jobtype, .log_rate = 2 };
	struct output o = { .how = &how };
	struct output_place at = { 0 };
	struct heard heard;

	(void)state;
	clock_freeze(0, 5 * CLOCK_NS_PER_S);
	heard_begin(&heard);
	for (int i = 0; i < 5; i++)
		say(&o, &at, "again", false);
	clock_freeze(0, 6 * CLOCK_NS_PER_S);
	say(&o, &at, "later", false);
	output_tell(&o);
	heard_end(&heard);
	clock_release();
	assert_string_equal(heard.text,
	    "<6>jid=j1 type=resize stream=stderr  again\n"
	    "<6>jid=j1 type=resize stream=stderr  again\n"
	    "<4>type=resize  3 lines of output left out (log_rate is 2 a "
	    "second)\n"
	    "<6>jid=j1 type=resize stream=stderr  later\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_tagged_and_levelled),
		cmocka_unit_test(
		    pieces_of_a_long_line_are_marked_and_keep_its_level),
		cmocka_unit_test(lines_above_the_rate_are_counted_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
