/*
 * A job's own backoff gives the seconds it names, and a wrong one is told at
 * PUSH.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/job_backoff.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int64_t
seconds(const char *backoff, int64_t count)
{
	char job[500];

	snprintf(job, sizeof job,
	    "{\"args\":[\"backoff\"],\"custom\":{\"backoff\":%s}}", backoff);
	return job_backoff_seconds(job, strlen(job), count);
}

static int
check(const char *custom)
{
	struct json value;
	struct err e = { 0 };

	assert_int_equal(json_check(custom, strlen(custom), &value, NULL), 0);
	int r = job_backoff_check(&value, &e);
	if (r < 0)
		assert_non_null(strstr(e.text, "custom.backoff must be"));
	return r;
}

static void
each_failure_has_its_delay(void **state)
{
	static const struct {
		const char *backoff;
		int64_t count, want;
	} cases[] = {
		{ "[1, 60, 3600]", 0, 1 },
		{ "[1, 60, 3600]", 1, 60 },
		{ "[1, 60, 3600]", 2, 3600 },
		{ "[1, 60, 3600]", 900, 3600 },
		{ "[0]", 3, 0 },
		{ "{\"base\":5}", 0, 5 },
		{ "{\"base\":5}", 3, 40 },
		{ "{\"base\":5,\"factor\":1.5}", 2, 11 },
		{ "{\"base\":5,\"factor\":1}", 100, 5 },
		{ "{\"base\":5,\"factor\":10,\"cap\":100}", 1, 50 },
		{ "{\"base\":5,\"factor\":10,\"cap\":100}", 2, 100 },
		{ "{\"base\":5,\"factor\":10,\"cap\":100}", INT64_MAX, 100 },
		{ "{\"base\":5,\"cap\":1}", 0, 1 },
		{ "{\"base\":5}", 1000, JOB_BACKOFF_MAX },
		{ "null", 0, -1 },
		{ "\"later\"", 0, -1 },
		{ "[]", 0, -1 },
		{ "[-1]", 0, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (seconds(cases[i].backoff, cases[i].count) != cases[i].want)
			fail_msg(
			    "%s, %" PRId64, cases[i].backoff, cases[i].count);
	assert_int_equal(job_backoff_seconds("{}", 2, 0), -1);
	assert_int_equal(
	    job_backoff_seconds("{\"args\":[\"backoff\"]}", 20, 0), -1);
}

static void
wrong_ones_are_told(void **state)
{
	static const char *const good[] = { "{}", "{\"backoff\":null}",
		"{\"backoff\":[0,31622400]}", "{\"backoff\":{\"base\":1}}",
		"{\"other\":{\"backoff\":1}}" };
	static const char *const wrong[] = { "{\"backoff\":1}",
		"{\"backoff\":\"x\"}", "{\"backoff\":[]}",
		"{\"backoff\":[1.5]}", "{\"backoff\":[-1]}",
		"{\"backoff\":[31622401]}", "{\"backoff\":{}}",
		"{\"backoff\":{\"base\":0}}", "{\"backoff\":{\"cap\":9}}",
		"{\"backoff\":{\"base\":1,\"factor\":0.5}}",
		"{\"backoff\":{\"base\":1,\"factor\":101}}",
		"{\"backoff\":{\"base\":1,\"bse\":1}}" };
	char many[1000] = "{\"backoff\":[1";
	struct json none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(check(good[i]), 0);
	assert_int_equal(job_backoff_check(&none, NULL), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (check(wrong[i]) != -EINVAL)
			fail_msg("%s", wrong[i]);
	for (int i = 1; i < JOB_BACKOFF_STEPS; i++)
		strcat(many, ",1");
	size_t len = strlen(many);
	strcpy(many + len, "]}");
	assert_int_equal(check(many), 0);
	strcpy(many + len, ",1]}");
	assert_int_equal(check(many), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_has_its_delay),
		cmocka_unit_test(wrong_ones_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
