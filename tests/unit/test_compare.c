/*
 * Answers of INFO and JOBTYPES beside a configuration: what only one side knows
 * is told, and names from the network do no harm to a terminal.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef int comparison(const struct settings *s, const char *answer, size_t len,
    FILE *out, struct err *e);

/* The handler of all others; NULL: there is none. */
static const struct handler *unknown;

/* What is printed for an answer; owned. NULL when it is refused. */
static char *
compared_by(comparison *compare, const char *answer, struct err *e)
{
	struct handler handlers[] = {
		{ .jobtype = (char[]){ "resize" } },
		{ .jobtype = (char[]){ "rare" } },
	};
	struct queue_setting queues[] = {
		{ .name = (char[]){ "default" },
		    .at = { .line = 2, .column = 10 } },
		{ .name = (char[]){ "never" },
		    .at = { .line = 2, .column = 19 } },
	};
	struct settings s = { .file = (char[]){ "t.yaml" },
		.queues = queues,
		.nqueues = 2,
		.handlers = handlers,
		.nhandlers = 2,
		.unknown_handler = unknown };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	int r = compare(&s, answer, strlen(answer), out, e);
	fclose(out);
	if (r == 0)
		return text;
	free(text);
	return NULL;
}

static char *
compared(const char *info, struct err *e)
{
	return compared_by(compare_info, info, e);
}

static void
each_side_is_told(void **state)
{
	struct err e;
	char *text = compared("{\"faktory\":{\"queues\":{\"default\":3,"
			      "\"other\":12}}}",
	    &e);

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "3  yes\n"));
	assert_non_null(strstr(text, "12  no\n"));
	assert_non_null(strstr(
	    text, "warning: queue other is on the server and not in t.yaml\n"));
	assert_non_null(strstr(
	    text, "warning: t.yaml:2:19: queue never is not on the server"));
	assert_null(strstr(text, "queue default"));
	free(text);
}

static void
names_do_not_reach_the_terminal_raw(void **state)
{
	struct err e;
	char *text =
	    compared("{\"faktory\":{\"queues\":{\"a\\u001b[2J\":1}}}", &e);

	(void)state;
	assert_non_null(text);
	assert_null(strchr(text, '\x1b'));
	assert_non_null(strstr(text, "a?[2J"));
	free(text);
}

static void
other_answers_are_refused(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{}",
		"{\"faktory\":1}", "{\"faktory\":{\"queues\":[]}}" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };

		assert_null(compared(bad[i], &e));
		assert_int_equal(e.code, EINVAL);
	}
}

static void
jobtypes_of_each_side_are_told(void **state)
{
	static const char answer[] =
	    "{\"jobtypes\":{\"resize\":3,\"a\\u001bb\":12},\"others\":7}";
	struct err e;
	char *text = compared_by(compare_jobtypes, answer, &e);

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, " 3  yes\n"));
	assert_non_null(strstr(text, " 12  no\n"));
	assert_non_null(strstr(text, " 7  ?\n"));
	assert_non_null(strstr(text, "rare "));
	assert_non_null(strstr(text, " 0  yes\n"));
	assert_non_null(strstr(text,
	    "warning: jobtype a?b is on the server and has no handler in "
	    "t.yaml\n"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "jobtype resize"));
	free(text);

	/* Where a handler takes them all there is nothing to warn of. */
	unknown = &(struct handler){ .jobtype = (char[]){ "resize" } };
	text = compared_by(compare_jobtypes, answer, &e);
	unknown = NULL;
	assert_non_null(text);
	assert_non_null(strstr(text, " 12  unknown\n"));
	assert_null(strstr(text, "warning"));
	free(text);
}

static void
other_answers_about_jobtypes_are_refused(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{}",
		"{\"jobtypes\":{}}", "{\"jobtypes\":[],\"others\":0}",
		"{\"jobtypes\":{},\"others\":\"0\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };

		assert_null(compared_by(compare_jobtypes, bad[i], &e));
		assert_int_equal(e.code, EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobtypes_of_each_side_are_told),
		cmocka_unit_test(other_answers_about_jobtypes_are_refused),
		cmocka_unit_test(each_side_is_told),
		cmocka_unit_test(names_do_not_reach_the_terminal_raw),
		cmocka_unit_test(other_answers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
