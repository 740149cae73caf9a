/*
 * A setting that does nothing without another one is a mistake where that is
 * missing, told with its place and with what is expected; with it, it is none.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/companions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/settings_file.h"

enum { TEXT_MAX = 400 };

/* More of a job that has a program; what is wrong with it from its name on. */
static const struct {
	const char *alone;
	const char *mistake; /* after the name of the job; NULL: none */
} cases[] = {
	{ "slice: a.slice",
	    "slice: without a unit nothing lies in it, expected isolate: "
	    "transient-unit too" },
	{ "isolate: none, slice: a.slice",
	    "slice: without a unit nothing lies in it, expected isolate: "
	    "transient-unit too" },
	{ "io_priority: 2",
	    "io_priority: only two classes have priorities, expected io_class: "
	    "realtime or best-effort too" },
	{ "io_class: idle, io_priority: 2",
	    "io_priority: only two classes have priorities, expected io_class: "
	    "realtime or best-effort too" },
	{ "io_class: best-effort, io_priority: 2", NULL },
	{ "output_action: kill",
	    "output_action: kill: there is no limit to go beyond, expected "
	    "output_limit too" },
	{ "output_action: cut", NULL },
	{ "output_action: kill, output_limit: 1M", NULL },
	{ "output: {keep: 1d}",
	    "output.keep: no files are kept, expected output.dir too" },
	{ "output: {max_total: 1M}",
	    "output.max_total: no files are kept, expected output.dir too" },
	{ "control: off, result_limit: 1K",
	    "result_limit: it can give no result, expected control: on, or "
	    "stdout: result" },
	{ "control: off, stdout: result, result_limit: 1K", NULL },
	{ "result_limit: 1K", NULL },
	{ "control: off, metrics: {a_total: counter}",
	    "metrics: a program without messages reports none, expected "
	    "control: on" },
	{ "metrics: {a_total: counter}", NULL },
	{ "control: off, timeout: 1m, max_timeout: 1h",
	    "max_timeout: a program without messages cannot ask for it, "
	    "expected control: on" },
	{ "max_timeout: 1h",
	    "max_timeout: no other time ends before it, expected timeout too" },
	{ "timeout: 1m, max_timeout: 1h", NULL },
};

static void
one_in_a_job_stands_with_its_other(void **state)
{
	char text[TEXT_MAX], want[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(text, sizeof text,
		    "jobs: {j: {exec: [/bin/sh], %s}}\n", cases[i].alone);
		if (cases[i].mistake == NULL) {
			settings_free(good(text));
			continue;
		}
		const char *name = strrchr(cases[i].alone, ',') != NULL
		    ? strrchr(cases[i].alone, ',') + 2
		    : cases[i].alone;
		/* The value's place: behind the last name and its colon. */
		const char *value = strchr(strstr(text, name), ':') + 2;
		if (*value == '{' && strncmp(name, "output", 6) == 0)
			value = strchr(value, ':') + 2;
		snprintf(want, sizeof want, "t.yaml:1:%zu: jobs.j.%s\n",
		    (size_t)(value - text) + 1, cases[i].mistake);
		bad(text, want);
	}
}

/* There it is meant for the jobs that have the other one. */
static void
one_in_the_defaults_is_for_some_job(void **state)
{
	(void)state;
	settings_free(good("defaults: {output_action: kill}\n"
			   "jobs:\n"
			   "  a: {exec: [/bin/sh]}\n"
			   "  b: {exec: [/bin/sh], output_limit: 1M}\n"));
	settings_free(good("defaults: {output_limit: 1M}\n"
			   "jobs: {a: {exec: [/bin/sh], "
			   "output_action: kill}}\n"));
	bad("defaults: {slice: a.slice}\n"
	    "jobs: {a: {exec: [/bin/sh]}}\n",
	    "t.yaml:1:19: defaults.slice: without a unit nothing lies in it, "
	    "expected isolate: transient-unit too\n");
}

/* What is wrong is told once, and not that it is missing as well. */
static void
a_mistake_is_told_once(void **state)
{
	(void)state;
	bad("jobs: {a: {exec: [/bin/sh], isolate: unit, slice: a.slice}}\n",
	    "t.yaml:1:38: jobs.a.isolate: \"unit\" is not known, expected "
	    "none, process or "
	    "transient-unit\n");
}

/* An address that others may reach is none yet. */
static void
nothing_is_public_without_an_address(void **state)
{
	(void)state;
	bad("http: {public: true}\njobs: {a: {exec: [/bin/sh]}}\n",
	    "t.yaml:1:16: http.public: true: nothing listens, expected "
	    "http.listen too\n");
	settings_free(good("http: {public: true, listen: '0.0.0.0:9410'}\n"
			   "jobs: {a: {exec: [/bin/sh]}}\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_in_a_job_stands_with_its_other),
		cmocka_unit_test(one_in_the_defaults_is_for_some_job),
		cmocka_unit_test(a_mistake_is_told_once),
		cmocka_unit_test(nothing_is_public_without_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
