/*
 * message: what a program may say is read as it was meant, what it may not
 * say is refused with a reason, and a message that is written reads equal.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static struct message
read_it(const char *line)
{
	struct message m;
	const char *why = "";

	if (message_read(&m, line, strlen(line), &why) < 0)
		fail_msg("%s: %s", line, why);
	return m;
}

static void
text_is(const struct json *value, const char *want)
{
	assert_int_equal(value->len, strlen(want));
	assert_memory_equal(value->text, want, value->len);
}

static void
progress_has_a_percentage_a_description_or_both(void **state)
{
	struct message m =
	    read_it("{\"type\":\"progress\",\"percent\":40,\"desc\":\"half\"}");

	(void)state;
	assert_int_equal(m.kind, MESSAGE_PROGRESS);
	assert_true(m.progress.percent == 40.);
	text_is(&m.progress.desc, "\"half\"");
	m = read_it("{\"type\":\"progress\",\"desc\":\"\",\"percent\":null}");
	assert_true(m.progress.percent < 0.);
}

static void
seconds_are_read_to_the_microsecond(void **state)
{
	struct message m = read_it("{\"type\":\"extend\",\"seconds\":1.5}");

	(void)state;
	assert_int_equal(m.extend.ns, 3 * CLOCK_NS_PER_S / 2);
	m = read_it("{\"type\":\"extend\",\"seconds\":31622399.999999}");
	assert_int_equal(m.extend.ns, INT64_C(31622399999999000));
	m = read_it("{\"type\":\"error\",\"retry_in\":0}");
	assert_int_equal(m.error.retry_in, 0);
	m = read_it("{\"type\":\"error\"}");
	assert_int_equal(m.error.retry_in, -1);
}

static void
an_error_chooses_what_comes_next(void **state)
{
	(void)state;
	assert_int_equal(
	    read_it("{\"type\":\"error\"}").error.retry, MESSAGE_RETRY);
	assert_int_equal(
	    read_it("{\"type\":\"error\",\"retry\":true}").error.retry,
	    MESSAGE_RETRY);
	assert_int_equal(
	    read_it("{\"type\":\"error\",\"retry\":false}").error.retry,
	    MESSAGE_DEAD);
	assert_int_equal(
	    read_it("{\"type\":\"error\",\"retry\":\"discard\"}").error.retry,
	    MESSAGE_DISCARD);
}

static void
a_log_line_is_information_unless_it_says_otherwise(void **state)
{
	(void)state;
	assert_int_equal(read_it("{\"type\":\"log\",\"msg\":\"a\"}").log.level,
	    LOG_LEVEL_INFO);
	assert_int_equal(
	    read_it("{\"type\":\"log\",\"msg\":\"a\",\"level\":\"error\"}")
		.log.level,
	    LOG_LEVEL_ERROR);
}

static void
numbers_in_a_pushed_job_keep_their_digits(void **state)
{
	struct message m = read_it(
	    "{\"type\":\"push\",\"job\":{\"args\":[9007199254740993]}}");

	(void)state;
	text_is(&m.push.job, "{\"args\":[9007199254740993]}");
}

static void
unknown_members_are_ignored_and_null_is_a_result(void **state)
{
	struct message m =
	    read_it(" {\"x\":[{}],\"value\":null,\"type\":\"result\"}\r");

	(void)state;
	assert_int_equal(m.kind, MESSAGE_RESULT);
	assert_int_equal(m.result.value.kind, JSON_NULL);
}

static void
what_is_no_message_is_refused_with_a_reason(void **state)
{
	static const char object[] = "a JSON object is expected";
	static const char type[] = "type: no message is called so";
	static const char seconds[] = "seconds: a number above 0 is expected";
	static const char lines[] = "backtrace: a list of strings is expected";
	static const char percent[] =
	    "percent: a number from 0 to 100 is expected";
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "", object },
		{ "progress 40", object },
		{ "[]", object },
		{ "{\"type\":\"heartbeat\"", object },
		{ "{\"type\":\"heartbeat\"} {}", object },
		{ "{}", type },
		{ "{\"type\":7}", type },
		{ "{\"type\":\"Progress\"}", type },
		{ "{\"type\":\"progress\"}", "percent or desc is expected" },
		{ "{\"type\":\"progress\",\"percent\":101}", percent },
		{ "{\"type\":\"progress\",\"percent\":\"4\"}", percent },
		{ "{\"type\":\"progress\",\"desc\":4}",
		    "desc: a string is expected" },
		{ "{\"type\":\"extend\"}", seconds },
		{ "{\"type\":\"extend\",\"seconds\":0}", seconds },
		{ "{\"type\":\"extend\",\"seconds\":-1}", seconds },
		{ "{\"type\":\"extend\",\"seconds\":1e-12}", seconds },
		{ "{\"type\":\"extend\",\"seconds\":1e300}", seconds },
		{ "{\"type\":\"log\"}", "msg: a string is expected" },
		{ "{\"type\":\"log\",\"msg\":\"\",\"level\":\"loud\"}",
		    "level: error, warning, info or debug is expected" },
		{ "{\"type\":\"log\",\"msg\":\"\",\"fields\":[]}",
		    "fields: an object is expected" },
		{ "{\"type\":\"result\"}", "value is expected" },
		{ "{\"type\":\"error\",\"errtype\":1}",
		    "errtype: a string is expected" },
		{ "{\"type\":\"error\",\"message\":[]}",
		    "message: a string is expected" },
		{ "{\"type\":\"error\",\"backtrace\":\"a\"}", lines },
		{ "{\"type\":\"error\",\"backtrace\":[\"a\",1]}", lines },
		{ "{\"type\":\"error\",\"retry\":\"no\"}",
		    "retry: true, false or \"discard\" is expected" },
		{ "{\"type\":\"error\",\"retry_in\":-1}",
		    "retry_in: a number of seconds is expected" },
		{ "{\"type\":\"push\",\"job\":[]}",
		    "job: an object is expected" },
		{ "{\"type\":\"metric\",\"value\":1}",
		    "name: a string is expected" },
		{ "{\"type\":\"metric\",\"name\":\"n\"}",
		    "value: a number is expected" },
		{ "{\"type\":\"metric\",\"name\":\"n\",\"value\":1e999}",
		    "value: a number is expected" },
		{ "{\"type\":\"metric\",\"name\":\"n\",\"value\":1,"
		  "\"kind\":\"sum\"}",
		    "kind: count or gauge is expected" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct message m;
		const char *why = NULL;

		assert_int_equal(message_read(&m, cases[i].line,
				     strlen(cases[i].line), &why),
		    -EINVAL);
		assert_string_equal(why, cases[i].why);
	}
}

static void
what_is_written_reads_equal(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"progress\",\"percent\":12.5,\"desc\":\"x\"}",
		"{\"type\":\"heartbeat\"}",
		"{\"type\":\"extend\",\"seconds\":60.000000}",
		"{\"type\":\"log\",\"level\":\"debug\",\"msg\":\"m\","
		"\"fields\":{\"n\":1}}",
		"{\"type\":\"result\",\"value\":null}",
		"{\"type\":\"error\",\"errtype\":\"E\",\"message\":\"m\","
		"\"backtrace\":[\"a\"],\"retry\":false,"
		"\"retry_in\":0.250000}",
		"{\"type\":\"error\",\"retry\":\"discard\"}",
		"{\"type\":\"push\",\"job\":{\"args\":[1.0]}}",
		"{\"type\":\"metric\",\"name\":\"n\",\"value\":-3,"
		"\"kind\":\"gauge\"}",
		"{\"type\":\"metric\",\"name\":\"n\",\"value\":3,"
		"\"kind\":\"count\"}",
	};
	struct buf *b = buf_new(4096);

	(void)state;
	assert_non_null(b);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct message m = read_it(lines[i]);

		buf_clear(b);
		assert_int_equal(message_put(b, &m), 0);
		assert_int_equal(buf_len(b), strlen(lines[i]));
		assert_memory_equal(buf_front(b), lines[i], buf_len(b));
	}
	buf_free(b);
}

static void
a_message_that_does_not_fit_leaves_the_buffer_alone(void **state)
{
	struct message m = read_it("{\"type\":\"heartbeat\"}");
	struct buf *b = buf_new(10);

	(void)state;
	assert_non_null(b);
	assert_int_equal(buf_puts(b, "ab"), 0);
	assert_int_equal(message_put(b, &m), -ENOBUFS);
	assert_int_equal(buf_len(b), 2);
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    progress_has_a_percentage_a_description_or_both),
		cmocka_unit_test(seconds_are_read_to_the_microsecond),
		cmocka_unit_test(an_error_chooses_what_comes_next),
		cmocka_unit_test(
		    a_log_line_is_information_unless_it_says_otherwise),
		cmocka_unit_test(numbers_in_a_pushed_job_keep_their_digits),
		cmocka_unit_test(
		    unknown_members_are_ignored_and_null_is_a_result),
		cmocka_unit_test(what_is_no_message_is_refused_with_a_reason),
		cmocka_unit_test(what_is_written_reads_equal),
		cmocka_unit_test(
		    a_message_that_does_not_fit_leaves_the_buffer_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
