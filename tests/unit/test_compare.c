/*
 * An answer of INFO beside a configuration: what only one side knows is told,
 * and names from the network do no harm to a terminal.
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

/* What is printed for an answer; owned. NULL when it is refused. */
static char *
compared(const char *info, struct err *e)
{
	struct queue_setting queues[] = {
		{ .name = (char[]){ "default" },
		    .at = { .line = 2, .column = 10 } },
		{ .name = (char[]){ "never" },
		    .at = { .line = 2, .column = 19 } },
	};
	struct settings s = {
		.file = (char[]){ "t.yaml" }, .queues = queues, .nqueues = 2
	};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	int r = compare_info(&s, info, strlen(info), out, e);
	fclose(out);
	if (r == 0)
		return text;
	free(text);
	return NULL;
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_is_told),
		cmocka_unit_test(names_do_not_reach_the_terminal_raw),
		cmocka_unit_test(other_answers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
