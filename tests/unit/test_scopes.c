/*
 * scopes: a job's unit has a name that the manager takes and nobody else has,
 * and a description that a terminal may see, whatever the job is called.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/scopes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char slice[] = "jobs-some.slice";

static const struct confinement wanted = { .isolate = ISOLATE_UNIT,
	.slice = slice,
	.memory_max = 1 << 20,
	.tasks_max = 7,
	.cpu_weight = 50,
	.cpu_quota = 150 };

static struct scope_request *
make(const char *jobtype, const char *jid)
{
	struct scope_request *q;

	assert_int_equal(
	    scopes_make(&wanted, jobtype, jid, "4ad1f0-17", &q), 0);
	assert_non_null(q);
	return q;
}

static void
other_jobs_have_none(void **state)
{
	const struct confinement none = { .isolate = ISOLATE_PROCESS };
	struct scope_request *q;

	(void)state;
	assert_int_equal(scopes_make(&none, "t", "j", "i", &q), 0);
	assert_null(q);
	scopes_free(q);
}

static void
what_is_configured_goes_with_it(void **state)
{
	struct scope_request *q = make("resize", "8f2c1d77");

	(void)state;
	assert_string_equal(q->unit, "faktotum-job-8f2c1d77-4ad1f0-17.scope");
	assert_string_equal(q->description, "resize, job 8f2c1d77");
	assert_string_equal(q->slice, "jobs-some.slice");
	assert_int_equal(q->limits.memory_max, 1 << 20);
	assert_int_equal(q->limits.tasks_max, 7);
	assert_int_equal(q->limits.cpu_weight, 50);
	assert_int_equal(q->limits.cpu_percent, 150);
	scopes_free(q);
}

static void
a_jid_is_escaped_as_systemd_does_it(void **state)
{
	static const struct {
		const char *jid, *unit;
	} cases[] = {
		{ "a-b/c@d",
		    "faktotum-job-a\\x2db\\x2fc\\x40d-4ad1f0-17.scope" },
		{ "A:z_0.9", "faktotum-job-A:z_0.9-4ad1f0-17.scope" },
		{ "\xc3\xa9 \\\n",
		    "faktotum-job-\\xc3\\xa9\\x20\\x5c\\x0a-4ad1f0-17.scope" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct scope_request *q = make("t", cases[i].jid);

		assert_string_equal(q->unit, cases[i].unit);
		scopes_free(q);
	}
}

/* systemd takes 255 bytes; no escape is cut in two, and the id is whole. */
static void
a_long_name_is_cut(void **state)
{
	char jid[1025];

	(void)state;
	for (int pad = 0; pad < 4; pad++) {
		memset(jid, '-', sizeof jid - 1);
		memset(jid, 'x', (size_t)pad);
		jid[sizeof jid - 1] = '\0';
		struct scope_request *q = make(jid, jid);

		assert_true(strlen(q->unit) <= 255);
		const char *end = strstr(q->unit, "-4ad1f0-17.scope");
		assert_non_null(end);
		assert_memory_equal(end - 4, "\\x2d", 4);
		assert_true(strlen(q->description) < 300);
		scopes_free(q);
	}
}

static void
a_description_has_no_controls_and_is_utf8(void **state)
{
	struct scope_request *q =
	    make("a\x1b[2J\xff\xc2\x9b\xc3\xa9", "j\n\x7f");

	(void)state;
	assert_string_equal(q->description, "a?[2J??\xc3\xa9, job j??");
	scopes_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_jobs_have_none),
		cmocka_unit_test(what_is_configured_goes_with_it),
		cmocka_unit_test(a_jid_is_escaped_as_systemd_does_it),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(a_description_has_no_controls_and_is_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
