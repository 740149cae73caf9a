/*
 * The same job and handler always give the same argv, environment and stdin;
 * data that does not fit gives no invocation at all, and no message repeats
 * it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/invocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

enum { ARGV_MAX = 8 };

static const char *
lookup(const char *name)
{
	if (strcmp(name, "PASSED") == 0)
		return "as it is";
	if (strcmp(name, "FAKTORY_URL") == 0)
		return "tcp://:secret@host";
	return NULL;
}

/* One handler, one job, one invocation. */
struct sample {
	struct handler how;
	struct template *argv[ARGV_MAX];
	struct env_setting env[2];
	char *pass[2];
	struct environment base;
	struct job job;
	struct invocation v;
	struct err e;
};

static char program[] = "/bin/prog", jobtype[] = "resize", env_name[] = "WHO",
	    passed[] = "PASSED", secret[] = "FAKTORY_URL", absent[] = "ABSENT";

static void
set_up(struct sample *s, const char *const *words, const char *json)
{
	struct err e;

	memset(s, 0, sizeof *s);
	s->how = (struct handler){ .jobtype = jobtype,
		.program = program,
		.argv = s->argv,
		.input = INPUT_JOB,
		.umask = 022 };
	for (; words[s->how.nargv] != NULL; s->how.nargv++) {
		s->argv[s->how.nargv] = template_parse(words[s->how.nargv], &e);
		assert_non_null(s->argv[s->how.nargv]);
	}
	assert_int_equal(environment_set(&s->base, "PATH", "/bin", 4, NULL), 0);
	if (job_parse(json, strlen(json), &s->job, &e) < 0)
		fail_msg("%s", e.text);
}

static int
make(struct sample *s)
{
	const struct invocation_request q = { .handler = &s->how,
		.job = &s->job,
		.base = &s->base,
		.dispatch_id = "wid-7",
		.tmpdir = "/tmp/private",
		.deadline = 1700000000 * CLOCK_NS_PER_S,
		.timeout = 90 * CLOCK_NS_PER_S,
		.lookup = lookup };

	return invocation_make(&s->v, &q, &s->e);
}

static void
tear_down(struct sample *s)
{
	for (size_t i = 0; i < s->how.nargv; i++)
		template_free(s->argv[i]);
	for (size_t i = 0; i < s->how.nenv; i++)
		template_free(s->env[i].value);
	environment_clear(&s->base);
	job_clear(&s->job);
	invocation_clear(&s->v);
}

#define JOB(rest)                                                              \
	"{\"jid\":\"abcdefgh\",\"jobtype\":\"resize\",\"queue\":\"q\"," rest "}"

static void
templates_become_one_argument_each(void **state)
{
	static const struct {
		const char *words[ARGV_MAX];
		const char *job;
		const char *want[ARGV_MAX];
	} cases[] = {
		{ { "/bin/prog" }, JOB("\"args\":[]"), { "/bin/prog" } },
		{ { "/bin/prog", "--id", "{args.0.id}" },
		    JOB("\"args\":[{\"id\":9007199254740993}]"),
		    { "/bin/prog", "--id", "9007199254740993" } },
		{ { "/bin/prog", "{args.0}" },
		    JOB("\"args\":[\"a b; $(rm) 'x' \\\"y\\\"\"]"),
		    { "/bin/prog", "a b; $(rm) 'x' \"y\"" } },
		{ { "/bin/prog", "--size={args.0.size?thumb}" },
		    JOB("\"args\":[{}]"), { "/bin/prog", "--size=thumb" } },
		{ { "/bin/prog", "--size={args.0}" }, JOB("\"args\":[\"-1\"]"),
		    { "/bin/prog", "--size=-1" } },
		{ { "/bin/prog", "--", "{args...}" },
		    JOB("\"args\":[\"-x\",1.0,true]"),
		    { "/bin/prog", "--", "-x", "1.0", "true" } },
		{ { "/bin/prog", "{args.0}" },
		    JOB("\"args\":[[1,{\"a\": null}]]"),
		    { "/bin/prog", "[1,{\"a\":null}]" } },
		{ { "/bin/prog", "{jid}", "{jobtype}", "{queue}", "{attempt}" },
		    JOB("\"args\":[],\"failure\":{\"retry_count\":1}"),
		    { "/bin/prog", "abcdefgh", "resize", "q", "3" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sample s;

		set_up(&s, cases[i].words, cases[i].job);
		if (make(&s) < 0)
			fail_msg("%s", s.e.text);
		for (size_t n = 0; n < ARGV_MAX; n++) {
			if (cases[i].want[n] == NULL) {
				assert_null(s.v.argv[n]);
				break;
			}
			assert_string_equal(s.v.argv[n], cases[i].want[n]);
		}
		assert_string_equal(s.v.path, "/bin/prog");
		tear_down(&s);
	}
}

static void
data_that_does_not_fit_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *words[ARGV_MAX];
		const char *job;
		const char *begins;
	} cases[] = {
		{ { "/bin/prog", "{args.0.id}" }, JOB("\"args\":[{}]"),
		    "argument 1: " },
		{ { "/bin/prog", "x", "{args.0}" }, JOB("\"args\":[null]"),
		    "argument 2: " },
		{ { "/bin/prog", "{args.0}" }, JOB("\"args\":[\"a\\u0000b\"]"),
		    "argument 1: " },
		{ { "/bin/prog", "{args.0}" }, JOB("\"args\":[\"-rf\"]"),
		    "argument 1: the job's value begins with '-' and would be "
		    "read as an option" },
		{ { "/bin/prog", "{args...}" }, JOB("\"args\":[\"a\",\"-rf\"]"),
		    "argument 1: the job's value begins with '-' and would be "
		    "read as an option" },
		{ { "/bin/prog", "{args.0}-x" }, JOB("\"args\":[\"\"]"),
		    "argument 1: the job's value begins with '-' and would be "
		    "read as an option" },
		{ { "/bin/prog", "{args.0}", "--" }, JOB("\"args\":[-5]"),
		    "argument 1: the job's value begins with '-' and would be "
		    "read as an option" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sample s;

		set_up(&s, cases[i].words, cases[i].job);
		assert_int_equal(make(&s), -EINVAL);
		if (strncmp(s.e.text, cases[i].begins,
			strlen(cases[i].begins)) != 0)
			fail_msg("%zu: %s", i, s.e.text);
		assert_null(strstr(s.e.text, "rf"));
		tear_down(&s);
	}
}

static void
allow_dash_lifts_the_guard(void **state)
{
	static const char *const words[] = { "/bin/prog", "{args.0}", NULL };
	struct sample s;

	(void)state;
	set_up(&s, words, JOB("\"args\":[\"-rf\"]"));
	s.how.allow_dash = true;
	assert_int_equal(make(&s), 0);
	assert_string_equal(s.v.argv[1], "-rf");
	tear_down(&s);
}

/* A job whose args are n strings of len bytes. Owned. */
static char *
big_job(size_t n, size_t len)
{
	char *json = malloc(200 + n * (len + 3));
	size_t at;

	assert_non_null(json);
	at = (size_t)sprintf(
	    json, "{\"jid\":\"abcdefgh\",\"jobtype\":\"resize\",\"args\":[");
	for (size_t i = 0; i < n; i++) {
		json[at++] = '"';
		memset(json + at, 'x', len);
		at += len;
		json[at++] = '"';
		json[at++] = i + 1 < n ? ',' : ']';
	}
	strcpy(json + at, "}");
	return json;
}

static void
an_element_may_have_128_kib_less_one(void **state)
{
	static const char *const words[] = { "/bin/prog", "{args.0}", NULL };
	static const struct {
		size_t len;
		int result;
	} cases[] = { { 131071, 0 }, { 131072, -EINVAL } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *json = big_job(1, cases[i].len);
		struct sample s;

		set_up(&s, words, json);
		assert_int_equal(make(&s), cases[i].result);
		tear_down(&s);
		free(json);
	}
}

static void
all_arguments_together_are_limited_too(void **state)
{
	static const char *const words[] = { "/bin/prog", "{args...}", NULL };
	char *json = big_job(80, 130000);
	struct sample s;

	(void)state;
	set_up(&s, words, json);
	assert_int_equal(make(&s), -EINVAL);
	assert_non_null(strstr(s.e.text, "all arguments together"));
	tear_down(&s);
	free(json);
}

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
		cmocka_unit_test(templates_become_one_argument_each),
		cmocka_unit_test(
		    data_that_does_not_fit_is_refused_with_its_place),
		cmocka_unit_test(allow_dash_lifts_the_guard),
		cmocka_unit_test(an_element_may_have_128_kib_less_one),
		cmocka_unit_test(all_arguments_together_are_limited_too),
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
