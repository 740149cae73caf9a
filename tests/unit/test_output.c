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

static struct output_job
new_job(void)
{
	return (struct output_job){ .log = { .jid = "j1",
					.jobtype = jobtype,
					.queue = "default",
					.dispatch = "d1",
					.attempt = 2 } };
}

static void
say(struct output *o, struct output_job *job, const char *text, bool more)
{
	output_line(o, job, RUN_STDERR, text, strlen(text), more);
}

static void
lines_are_tagged_and_levelled(void **state)
{
	const struct handler how = { .jobtype = jobtype, .log_rate = 100 };
	struct output o = { .how = &how };
	struct output_job at = new_job();
	struct heard heard;

	(void)state;
	heard_begin(&heard);
	output_line(&o, &at, RUN_STDOUT, "plain", 5, false);
	say(&o, &at, "<3>bad", false);
	say(&o, &at, "<4>odd", false);
	say(&o, &at, "<5>note", false);
	say(&o, &at, "<7>fine", false);
	say(&o, &at, "<8>no prefix", false);
	say(&o, &at, "<3", false);
	say(&o, &at, "", false);
	output_end(&at);
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
	struct output_job at = new_job();
	struct heard heard;

	(void)state;
	heard_begin(&heard);
	say(&o, &at, "<4>one", true);
	say(&o, &at, "<3>two", false);
	say(&o, &at, "next", false);
	output_end(&at);
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
	struct output_job at = new_job();
	struct heard heard;

	(void)state;
	clock_freeze(0, 5 * CLOCK_NS_PER_S);
	heard_begin(&heard);
	for (int i = 0; i < 5; i++)
		say(&o, &at, "again", false);
	clock_freeze(0, 6 * CLOCK_NS_PER_S);
	say(&o, &at, "later", false);
	output_tell(&o);
	output_end(&at);
	heard_end(&heard);
	clock_release();
	assert_string_equal(heard.text,
	    "<6>jid=j1 type=resize stream=stderr  again\n"
	    "<6>jid=j1 type=resize stream=stderr  again\n"
	    "<4>type=resize  3 lines of output left out (log_rate is 2 a "
	    "second)\n"
	    "<6>jid=j1 type=resize stream=stderr  later\n");
}

/* What has fields says more than a line of text can. */
static void
fields_tell_queue_attempt_dispatch_and_priority(void **state)
{
	const struct handler how = { .jobtype = jobtype, .log_rate = 100 };
	struct output o = { .how = &how };
	struct output_job at = new_job();
	struct heard heard;

	(void)state;
	clock_freeze(0, 0);
	heard_begin(&heard);
	log_open(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	say(&o, &at, "<2>hot", false);
	job_log_say(&at.log, LOG_LEVEL_INFO, JOB_DONE, "done");
	output_end(&at);
	heard_end(&heard);
	clock_release();
	assert_string_equal(heard.text,
	    "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\","
	    "\"jid\":\"j1\",\"type\":\"resize\",\"stream\":\"stderr\","
	    "\"queue\":\"default\",\"attempt\":\"2\",\"dispatch\":\"d1\","
	    "\"priority\":\"2\",\"message\":\"hot\"}\n"
	    "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\","
	    "\"jid\":\"j1\",\"type\":\"resize\",\"queue\":\"default\","
	    "\"attempt\":\"2\",\"dispatch\":\"d1\","
	    "\"event\":\"job-done\",\"message\":\"done\"}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_tagged_and_levelled),
		cmocka_unit_test(
		    pieces_of_a_long_line_are_marked_and_keep_its_level),
		cmocka_unit_test(lines_above_the_rate_are_counted_and_told),
		cmocka_unit_test(
		    fields_tell_queue_attempt_dispatch_and_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
