/*
 * A variable's value stands where its name stood and is nothing but text: it
 * is not expanded again and cannot open a hole in a template.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/expand.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *
lookup(const char *name)
{
	if (strcmp(name, "HOST") == 0)
		return "db.example";
	if (strcmp(name, "EMPTY") == 0)
		return "";
	if (strcmp(name, "NESTED") == 0)
		return "${HOST} $$";
	if (strcmp(name, "BRACES") == 0)
		return "{args.0}";
	return NULL;
}

static void
names_become_values(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "tcp://${HOST}:7419", "tcp://db.example:7419" },
		{ "${HOST}${HOST}", "db.exampledb.example" },
		{ "[${EMPTY}]", "[]" },
		{ "${HOST:-other}", "db.example" },
		{ "${EMPTY:-other}", "other" },
		{ "${NONE:-other}", "other" },
		{ "${NONE:-}", "" },
		{ "${NONE:-a:-b $x}", "a:-b $x" },
		{ "${NESTED}", "${HOST} $$" },
		{ "a$$b", "a$b" },
		{ "$${HOST}", "${HOST}" },
		{ "$1 $ x$", "$1 $ x$" },
		{ "{args.0}", "{args.0}" },
		{ "${BRACES}", "{args.0}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		char *got = expand(cases[i].text, EXPAND_AS_IS, lookup, &e);

		assert_non_null(got);
		assert_string_equal(got, cases[i].want);
		free(got);
	}
}

static void
a_value_cannot_open_a_hole_in_a_template(void **state)
{
	struct err e = { 0 };
	char *got =
	    expand("{jid} ${BRACES} ${NONE:-{x}", EXPAND_DOUBLED, lookup, &e);

	(void)state;
	assert_non_null(got);
	assert_string_equal(got, "{jid} {{args.0}} {{x");
	free(got);
}

static void
mistakes_say_what_is_expected(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "${NONE}",
		    "NONE is not in the environment, expected it to be set or "
		    "${NONE:-default}" },
		{ "a ${HOST",
		    "${ without }, expected ${NAME} (a dollar is $$)" },
		{ "${}",
		    "not a variable's name in ${ }, expected ${NAME} or "
		    "${NAME:-default} (a dollar is $$)" },
		{ "${1}",
		    "not a variable's name in ${ }, expected ${NAME} or "
		    "${NAME:-default} (a dollar is $$)" },
		{ "${HOST-x}",
		    "not a variable's name in ${ }, expected ${NAME} "
		    "or ${NAME:-default} (a dollar is $$)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };

		assert_null(expand(cases[i].text, EXPAND_AS_IS, lookup, &e));
		assert_string_equal(e.text, cases[i].want);
	}
}

static void
there_is_a_ceiling(void **state)
{
	struct err e = { 0 };
	char *text = malloc(EXPAND_MAX + 2);

	(void)state;
	memset(text, 'x', EXPAND_MAX + 1);
	text[EXPAND_MAX + 1] = '\0';
	assert_null(expand(text, EXPAND_AS_IS, lookup, &e));
	assert_string_equal(e.text, "longer than 1048576 bytes");
	text[EXPAND_MAX] = '\0';
	char *got = expand(text, EXPAND_AS_IS, lookup, &e);
	assert_non_null(got);
	assert_int_equal(strlen(got), EXPAND_MAX);
	free(got);
	free(text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_values),
		cmocka_unit_test(a_value_cannot_open_a_hole_in_a_template),
		cmocka_unit_test(mistakes_say_what_is_expected),
		cmocka_unit_test(there_is_a_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
