/*
 * A template gives one argument whatever the job's data, a spread one an
 * argument for each element; data that does not fit gives none, and no message
 * repeats it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/arguments.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/invocation_sample.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
