/*
 * What a program says is kept, told or refused, and what is no message is
 * told a few times and does no harm.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/talk.h"

#include <stdlib.h>

#include "base/clock.h"
#include "tests/unit/heard_log.h"

static char jobtype[] = "resize";
enum { RESULT_MAX = 64 * 1024 };
static const struct handler how = {
	.jobtype = jobtype, .log_rate = 1000, .result_limit = RESULT_MAX
};

static const struct job_log job = {
	.jid = "j1", .jobtype = jobtype, .queue = "", .dispatch = ""
};

struct stage {
	struct output output;
	struct talk talk;
	struct heard heard;
};

static void
resume(struct stage *s)
{
	talk_start(&s->talk,
	    &(struct talk_parts){ .loop = EV_DEFAULT,
		.output = &s->output,
		.how = &how,
		.log = &job,
		.deadline = clock_mono() + 10 * CLOCK_NS_PER_S,
		.latest = clock_mono() + 99 * CLOCK_NS_PER_S });
}

static void
begin(struct stage *s)
{
	*s = (struct stage){ .output = { .how = &how } };
	resume(s);
	heard_begin(&s->heard);
}

static void
say(struct stage *s, const char *line)
{
	talk_line(&s->talk, line, strlen(line), false);
}

static void
end(struct stage *s)
{
	talk_end(&s->talk, false);
	heard_end(&s->heard);
}

static void
log_lines_have_the_jobs_tags_and_fields(void **state)
{
	struct stage s;

	(void)state;
	begin(&s);
	say(&s,
	    "{\"type\":\"log\",\"level\":\"error\",\"msg\":\"no "
	    "\\u0007ink\",\"fields\":{\"left\":3,\"jid\":\"j2\",\"a b\":1,"
	    "\"why\":\"x\",\"2\":2,\"o\":{\"p\":[1]}}}");
	end(&s);
	assert_string_equal(s.heard.text,
	    "<3>jid=j1 type=resize left=3 why=x o=\"{\\x22p\\x22:[1]}\"  no "
	    "\\x07ink\n");
	talk_clear(&s.talk);
}

static void
the_last_progress_result_and_error_stay(void **state)
{
	struct stage s;
	struct json text;

	(void)state;
	begin(&s);
	assert_null(talk_error(&s.talk));
	say(&s, "{\"type\":\"progress\",\"percent\":1,\"desc\":\"one\"}");
	say(&s, "{\"type\":\"progress\",\"percent\":40.5}");
	say(&s, "{\"type\":\"result\",\"value\":1}");
	say(&s, "{\"type\":\"result\",\"value\":[ 1.0, null ]}");
	say(&s, "{\"type\":\"error\",\"errtype\":\"A\"}");
	say(&s, "{\"type\":\"error\",\"message\":\"no row\"}");
	talk_tell_unused(&s.talk);
	end(&s);
	assert_true(s.talk.progressed);
	assert_true(s.talk.percent > 40.4 && s.talk.percent < 40.6);
	assert_string_equal(s.talk.desc, "one");
	assert_string_equal(s.talk.result, "[1.0,null]");
	text = talk_error(&s.talk)->error.message;
	assert_true(json_string_is(&text, "no row", 6));
	assert_int_equal(talk_error(&s.talk)->error.errtype.kind, JSON_NONE);
	assert_non_null(strstr(s.heard.text, "is ignored: no row\n"));
	talk_clear(&s.talk);
}

static void
a_long_description_is_cut_and_a_large_result_refused(void **state)
{
	static char line[80000];
	struct stage s;

	(void)state;
	begin(&s);
	int n =
	    snprintf(line, sizeof line, "{\"type\":\"progress\",\"desc\":\"");
	memset(line + n, 'a', 1000);
	strcpy(line + n + 1000, "\"}");
	say(&s, line);
	assert_int_equal(strlen(s.talk.desc), TALK_DESC_MAX - 1);
	n = snprintf(line, sizeof line, "{\"type\":\"result\",\"value\":\"");
	memset(line + n, 'a', RESULT_MAX - 1);
	strcpy(line + n + RESULT_MAX - 1, "\"}");
	say(&s, line);
	assert_null(s.talk.result);
	strcpy(line + n + RESULT_MAX - 2, "\"}");
	say(&s, line);
	end(&s);
	assert_int_equal(strlen(s.talk.result), RESULT_MAX);
	assert_int_equal(s.talk.ignored, 1);
	talk_clear(&s.talk);
}

static void
what_is_no_message_is_told_a_few_times(void **state)
{
	struct stage s;
	size_t lines = 0;

	(void)state;
	begin(&s);
	talk_line(&s.talk, "aaaa", 4, true);
	talk_line(&s.talk, "aaaa", 4, true);
	talk_line(&s.talk, "", 0, false);
	say(&s, "{\"type\":\"extend\",\"seconds\":-1}");
	for (int i = 0; i < 1000; i++)
		say(&s, "{");
	end(&s);
	assert_int_equal(s.talk.ignored, 1002);
	assert_ptr_equal(strstr(s.heard.text,
			     "<4>jid=j1 type=resize  a message is ignored: "
			     "longer than message_max\n"),
	    s.heard.text);
	assert_non_null(strstr(s.heard.text, "1002 messages were ignored"));
	for (const char *c = s.heard.text; *c != '\0'; c++)
		lines += *c == '\n';
	assert_in_range(lines, TALK_COMPLAINTS + 1, 3 * TALK_COMPLAINTS);
	talk_clear(&s.talk);
}

static void
more_time_than_the_operator_allows_is_refused(void **state)
{
	struct stage s;
	int64_t before;

	(void)state;
	begin(&s);
	before = s.talk.parts.deadline;
	say(&s, "{\"type\":\"extend\",\"seconds\":5}"); /* it has that */
	assert_int_equal(strlen(s.heard.text), 0);
	say(&s, "{\"type\":\"extend\",\"seconds\":60}");
	end(&s);
	assert_int_equal(s.talk.parts.deadline, before);
	assert_string_equal(s.heard.text,
	    "<4>jid=j1 type=resize  60 s more are refused: max_timeout does "
	    "not allow it; the deadline stands\n");
	talk_clear(&s.talk);
}

static void
a_successor_knows_what_was_said(void **state)
{
	struct stage s, next = { .output = { .how = &how } };
	struct state_writer w;
	struct state_reader r;

	(void)state;
	begin(&s);
	say(&s, "{\"type\":\"progress\",\"percent\":12.5,\"desc\":\"x\"}");
	say(&s, "{\"type\":\"result\",\"value\":[7]}");
	say(&s, "{\"type\":\"error\",\"errtype\":\"A\"}");
	talk_line(&s.talk, "aaaa", 4, true);
	assert_int_equal(state_writer_init(&w, 4096), 0);
	talk_save(&s.talk, &w);
	assert_false(w.failed);
	r = (struct state_reader){ buf_front(w.out), buf_len(w.out), false };
	talk_load(&next.talk, &r);
	assert_false(r.failed);
	assert_int_equal(r.left, 0);
	resume(&next);
	say(&next, "the rest of that line");
	end(&s);
	assert_int_equal(next.talk.ignored, 1);
	assert_int_equal(next.talk.began, s.talk.began);
	assert_int_equal(next.talk.parts.deadline, s.talk.parts.deadline);
	assert_true(next.talk.progressed && next.talk.percent > 12.4);
	assert_string_equal(next.talk.desc, "x");
	assert_string_equal(next.talk.result, "[7]");
	assert_int_equal(
	    talk_error(&next.talk)->error.errtype.kind, JSON_STRING);
	talk_end(&next.talk, false);
	talk_clear(&next.talk);
	talk_clear(&s.talk);
	state_writer_clear(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_lines_have_the_jobs_tags_and_fields),
		cmocka_unit_test(the_last_progress_result_and_error_stay),
		cmocka_unit_test(
		    a_long_description_is_cut_and_a_large_result_refused),
		cmocka_unit_test(what_is_no_message_is_told_a_few_times),
		cmocka_unit_test(a_successor_knows_what_was_said),
		cmocka_unit_test(more_time_than_the_operator_allows_is_refused),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	ev_loop_destroy(EV_DEFAULT);
	return failed;
}
