/*
 * The same job and handler always give the same environment and stdin; data
 * that does not fit gives no invocation at all.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/invocation.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/invocation_sample.h"

static char env_name[] = "WHO", passed[] = "PASSED", secret[] = "FAKTORY_URL",
	    absent[] = "ABSENT";

static void
input_takes_the_form_that_was_chosen(void **state)
{
	static const char *const words[] = { "/bin/prog", NULL };
	static const struct {
		enum input_kind kind;
		const char *job, *want; /* want NULL: refused */
	} cases[] = {
		{ INPUT_JOB,
		    "{\"jid\": \"abcdefgh\", \"jobtype\":\"resize\",\n"
		    "\"args\":[1.0, 9007199254740993]}",
		    "{\"jid\":\"abcdefgh\",\"jobtype\":\"resize\","
		    "\"args\":[1.0,9007199254740993]}\n" },
		{ INPUT_ARGS, JOB("\"args\":[1, {\"a\" :2}]"),
		    "[1,{\"a\":2}]\n" },
		{ INPUT_ARGS, JOB("\"args\":[]"), "[]\n" },
		{ INPUT_ARG0, JOB("\"args\":[{\"a\" :1e2}, 5]"),
		    "{\"a\":1e2}\n" },
		{ INPUT_ARG0, JOB("\"args\":[null]"), "null\n" },
		{ INPUT_ARG0, JOB("\"args\":[]"), NULL },
		{ INPUT_RAW, JOB("\"args\":[\"a\\nb\\u00e9\"]"),
		    "a\nb\xc3\xa9" },
		{ INPUT_RAW, JOB("\"args\":[\"\"]"), "" },
		{ INPUT_RAW, JOB("\"args\":[5]"), NULL },
		{ INPUT_RAW, JOB("\"args\":[]"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sample s;

		set_up(&s, words, cases[i].job);
		s.how.input = cases[i].kind;
		if (cases[i].want == NULL) {
			assert_int_equal(make(&s), -EINVAL);
		} else {
			assert_int_equal(make(&s), 0);
			assert_true(s.v.feed);
			assert_int_equal(
			    buf_len(s.v.input), strlen(cases[i].want));
			assert_memory_equal(buf_front(s.v.input), cases[i].want,
			    strlen(cases[i].want));
		}
		tear_down(&s);
	}
}

static void
input_none_feeds_nothing(void **state)
{
	static const char *const words[] = { "/bin/prog", NULL };
	struct sample s;

	(void)state;
	set_up(&s, words, JOB("\"args\":[]"));
	s.how.input = INPUT_NONE;
	assert_int_equal(make(&s), 0);
	assert_false(s.v.feed);
	assert_null(s.v.input);
	tear_down(&s);
}

static void
the_environment_describes_the_job(void **state)
{
	static const char *const words[] = { "/bin/prog", NULL };
	static const struct {
		const char *name, *value; /* NULL: must not be there */
	} want[] = {
		{ "PATH", "/bin" },
		{ "TMPDIR", "/tmp/private" },
		{ "PASSED", "as it is" },
		{ "WHO", "acme" },
		{ "FAKTORY_PROTOCOL", "1" },
		{ "FAKTORY_PAYLOAD_FORMAT", "json" },
		{ "FAKTORY_JID", "abcdefgh" },
		{ "FAKTORY_JOBTYPE", "resize" },
		{ "FAKTORY_QUEUE", "q" },
		{ "FAKTORY_DISPATCH_ID", "wid-7" },
		{ "FAKTORY_ATTEMPT", "3" },
		{ "FAKTORY_MAX_ATTEMPTS", "3" },
		{ "FAKTORY_LAST_ATTEMPT", "1" },
		{ "FAKTORY_DEADLINE", "1700000000000" },
		{ "FAKTORY_TIMEOUT", "90" },
		{ "FAKTORY_CREATED_AT", "2026-11-23T21:56:38Z" },
		{ "FAKTORY_ENQUEUED_AT", "2026-11-23T21:56:39Z" },
		{ "FAKTORY_TMPDIR", "/tmp/private" },
		{ "TRACEPARENT",
		    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
		{ "FAKTORY_CONTROL_FD", NULL },
		{ "FAKTORY_URL", NULL },
		{ "ABSENT", NULL },
		{ "HOME", NULL },
	};
	struct sample s;
	struct err e;

	(void)state;
	set_up(&s, words,
	    JOB("\"args\":[],\"retry\":2,\"created_at\":\"2026-11-23T21:56:"
		"38Z\","
		"\"enqueued_at\":\"2026-11-23T21:56:39Z\","
		"\"failure\":{\"retry_count\":1},\"custom\":{\"tenant\":"
		"\"acme\","
		"\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-"
		"b7ad6b7169203331-01\"}"));
	char *pass[] = { passed, secret, absent };
	s.how.env_pass = pass;
	s.how.nenv_pass = 3;
	s.env[0] = (struct env_setting){ env_name,
		template_parse("{custom.tenant}", &e) };
	s.how.env = s.env;
	s.how.nenv = 1;
	assert_int_equal(make(&s), 0);
	size_t there = 0;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		const char *value = environment_get(&s.v.env, want[i].name);

		if (want[i].value == NULL) {
			assert_null(value);
			continue;
		}
		assert_non_null(value);
		assert_string_equal(value, want[i].value);
		there++;
	}
	assert_int_equal(s.v.env.count, there);
	tear_down(&s);
}

static void
attempts_are_counted_from_one(void **state)
{
	static const struct {
		const char *job;
		int64_t attempt, most;
	} cases[] = {
		{ JOB("\"args\":[]"), 1, 26 },
		{ JOB("\"args\":[],\"retry\":3"), 1, 4 },
		{ JOB("\"args\":[],\"retry\":0"), 1, 1 },
		{ JOB("\"args\":[],\"retry\":-1"), 1, 1 },
		{ JOB("\"args\":[],\"retry\":3,\"failure\":{\"retry_count\":"
		      "0}"),
		    2, 4 },
		{ JOB("\"args\":[],\"retry\":3,\"failure\":{\"retry_count\":"
		      "2}"),
		    4, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job j;

		assert_int_equal(
		    job_parse(cases[i].job, strlen(cases[i].job), &j, NULL), 0);
		assert_int_equal(job_attempt(&j), cases[i].attempt);
		assert_int_equal(job_max_attempts(&j), cases[i].most);
		job_clear(&j);
	}
}

static void
a_malformed_traceparent_is_left_out(void **state)
{
	static const char *const words[] = { "/bin/prog", NULL };
	static const char *const bad[] = {
		"\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331\"",
		"\"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"",
		"\"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"",
		"\"00-00000000000000000000000000000000-b7ad6b7169203331-01\"",
		"\"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01\"",
		"\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\\n\"",
		"17",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char json[400];
		struct sample s;

		snprintf(json, sizeof json,
		    JOB("\"args\":[],\"custom\":{\"traceparent\":%s}"), bad[i]);
		set_up(&s, words, json);
		assert_int_equal(make(&s), 0);
		assert_null(environment_get(&s.v.env, "TRACEPARENT"));
		tear_down(&s);
	}
}

static void
the_working_directory_is_the_private_one_unless_set(void **state)
{
	static const char *const words[] = { "/bin/prog", NULL };
	char srv[] = "/srv";
	struct sample s;

	(void)state;
	set_up(&s, words, JOB("\"args\":[]"));
	assert_int_equal(make(&s), 0);
	assert_string_equal(s.v.workdir, "/tmp/private");
	invocation_clear(&s.v);
	s.how.cwd = srv;
	assert_int_equal(make(&s), 0);
	assert_string_equal(s.v.workdir, "/srv");
	tear_down(&s);
}

static void
names_with_a_nul_byte_are_refused(void **state)
{
	static const char *const words[] = { "/bin/prog", NULL };
	struct sample s;

	(void)state;
	set_up(&s, words,
	    "{\"jid\":\"abcd\\u0000efgh\",\"jobtype\":\"x\",\"args\":[]}");
	assert_int_equal(make(&s), -EINVAL);
	assert_string_equal(s.e.text, "jid: a NUL byte");
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_takes_the_form_that_was_chosen),
		cmocka_unit_test(input_none_feeds_nothing),
		cmocka_unit_test(the_environment_describes_the_job),
		cmocka_unit_test(attempts_are_counted_from_one),
		cmocka_unit_test(a_malformed_traceparent_is_left_out),
		cmocka_unit_test(
		    the_working_directory_is_the_private_one_unless_set),
		cmocka_unit_test(names_with_a_nul_byte_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
