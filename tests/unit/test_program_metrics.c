/*
 * Counters grow, gauges are set, series are bounded and outlive a reload.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/program_metrics.h"

#include <errno.h>

#include "tests/unit/settings_file.h"

#define JOB(name, metrics)                                                     \
	"  " name ": {exec: [/bin/sh], metrics: " metrics "}\n"

static struct program_metrics *
know(struct program_metrics *p, const char *text)
{
	struct settings *s = good(text);

	if (p == NULL)
		p = program_metrics_new();
	program_metrics_know(p, s);
	settings_free(s);
	return p;
}

static void
expect(const struct program_metrics *p, const char *all)
{
	struct program_series s;
	char text[1024] = "";
	size_t cursor = 0, n = 0;

	while (program_metrics_next(p, &cursor, &s))
		n += (size_t)snprintf(text + n, sizeof text - n, "%s/%s%s=%g ",
		    s.name, s.jobtype, s.gauge ? "*" : "", s.value);
	assert_string_equal(text, all);
}

static void
counters_grow_and_gauges_are_set(void **state)
{
	struct program_metrics *p = know(NULL,
	    "jobs:\n" JOB("t", "{z: counter, a: gauge}")
		JOB("u", "{z: counter}"));

	(void)state;
	expect(p, "z/t=0 z/u=0 ");
	assert_int_equal(program_metrics_report(p, "t", "z", 2), 0);
	assert_int_equal(program_metrics_report(p, "t", "z", 0.5), 0);
	assert_int_equal(program_metrics_report(p, "t", "z", -1), -EINVAL);
	assert_int_equal(program_metrics_report(p, "t", "z", 1e308), 0);
	assert_int_equal(program_metrics_report(p, "t", "a", 7), 0);
	assert_int_equal(program_metrics_report(p, "t", "a", -3), 0);
	assert_int_equal(program_metrics_report(p, "u", "a", 1), -ENOENT);
	expect(p, "a/t*=-3 z/t=1e+308 z/u=0 ");
	/* What is no number any more is not taken. */
	assert_int_equal(program_metrics_report(p, "t", "z", 1.7e308), 0);
	expect(p, "a/t*=-3 z/t=1e+308 z/u=0 ");
	program_metrics_free(p);
}

static void
a_reload_resets_only_what_changed_its_kind(void **state)
{
	struct program_metrics *p = know(NULL,
	    "jobs:\n" JOB("t", "{a: counter, b: counter}")
		JOB("u", "{a: counter}"));

	(void)state;
	(void)program_metrics_report(p, "t", "a", 1);
	(void)program_metrics_report(p, "t", "b", 2);
	(void)program_metrics_report(p, "u", "a", 3);
	know(p, "jobs:\n" JOB("t", "{a: gauge, c: counter}"));
	expect(p, "b/t=2 c/t=0 ");
	(void)program_metrics_report(p, "t", "a", -1);
	expect(p, "a/t*=-1 b/t=2 c/t=0 ");
	program_metrics_free(p);
}

static void
there_is_a_ceiling(void **state)
{
	static char yaml[1 << 20];
	size_t n = (size_t)snprintf(yaml, sizeof yaml, "jobs:\n");

	(void)state;
	for (int job = 0; job < 65; job++) {
		n += (size_t)snprintf(yaml + n, sizeof yaml - n,
		    "  j%d: {exec: [/bin/sh], metrics: {", job);
		for (int i = 0; i < 64; i++)
			n += (size_t)snprintf(
			    yaml + n, sizeof yaml - n, "m%d: gauge, ", i);
		n += (size_t)snprintf(yaml + n, sizeof yaml - n, "}}\n");
	}
	struct program_metrics *p = know(NULL, yaml);
	assert_int_equal(program_metrics_report(p, "j63", "m63", 1), 0);
	assert_int_equal(program_metrics_report(p, "j64", "m63", 1), -ENOENT);
	program_metrics_free(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_grow_and_gauges_are_set),
		cmocka_unit_test(a_reload_resets_only_what_changed_its_kind),
		cmocka_unit_test(there_is_a_ceiling),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
