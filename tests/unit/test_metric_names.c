/*
 * What a program may report is spelt as Prometheus has it, is none of our own
 * names, and is of one kind; mistakes are told with their place.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/metric_names.h"

#include "tests/unit/settings_file.h"

static void
names_have_their_kinds(void **state)
{
	struct settings *s =
	    good("defaults: {metrics: {rows_total: counter}}\n"
		 "jobs:\n"
		 "  a: {exec: [/bin/sh]}\n"
		 "  b: {exec: [/bin/sh], metrics: {rows_total: counter, _2: "
		 "gauge}}\n"
		 "  c: {exec: [/bin/sh], metrics: {}}\n");
	const struct metric_names *own = s->handlers[1].metrics;

	(void)state;
	assert_int_equal(s->handlers[0].metrics->count, 1);
	assert_int_equal(own->count, 2);
	assert_false(metric_names_find(own, "rows_total", 10)->gauge);
	assert_true(metric_names_find(own, "_2", 2)->gauge);
	assert_null(metric_names_find(own, "rows", 4));
	assert_null(
	    metric_names_find(s->handlers[2].metrics, "rows_total", 10));
	assert_null(metric_names_find(NULL, "a", 1));
	settings_free(s);
}

static void
mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	bad("jobs: {a: {exec: [/bin/sh], metrics: {2b: gauge}}}\n",
	    "t.yaml:1:39: jobs.a.metrics: \"2b\", expected a name of letters, "
	    "digits and _ that does not begin with a digit\n");
	bad("jobs: {a: {exec: [/bin/sh], metrics: {faktotum_b: gauge}}}\n",
	    "t.yaml:1:39: jobs.a.metrics: \"faktotum_b\", expected a name of "
	    "letters, digits and _ that does not begin with faktotum_ or "
	    "process_\n");
	bad("jobs: {a: {exec: [/bin/sh], metrics: {b: histogram}}}\n",
	    "t.yaml:1:42: jobs.a.metrics: \"histogram\", expected counter or "
	    "gauge\n");
	bad("jobs: {a: {exec: [/bin/sh], metrics: [b]}}\n",
	    "t.yaml:1:38: jobs.a.metrics: a list stands here, expected a "
	    "mapping of names to counter or gauge\n");
	bad("jobs:\n  a: {exec: [/bin/sh], metrics: {b: gauge}}\n"
	    "  c: {exec: [/bin/sh], metrics: {b: counter}}\n",
	    "t.yaml:3:34: metrics: b is a gauge in line 2, expected one kind "
	    "in all jobs\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_their_kinds),
		cmocka_unit_test(mistakes_are_told_with_their_place),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
