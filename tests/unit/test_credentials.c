/*
 * A check that cannot see the credentials: only what is in their directory is
 * taken on trust, and nothing else.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void
a_directory_that_is_there_is_that_one(void **state)
{
	(void)state;
	setenv(CREDENTIALS_VARIABLE, "/tmp", 1);
	assert_string_equal(credentials_lookup(CREDENTIALS_VARIABLE), "/tmp");
	/* A mistake of whoever set it, to be told as such. */
	setenv(CREDENTIALS_VARIABLE, "/nowhere/at/all", 1);
	assert_string_equal(
	    credentials_lookup(CREDENTIALS_VARIABLE), "/nowhere/at/all");
}

static void
without_one_nothing_can_be_in_it(void **state)
{
	char path[256];

	(void)state;
	unsetenv(CREDENTIALS_VARIABLE);
	const char *dir = credentials_lookup(CREDENTIALS_VARIABLE);
	assert_true(dir[0] == '/');
	assert_true(credentials_are_elsewhere(dir));
	snprintf(path, sizeof path, "%s/key", dir);
	assert_true(credentials_are_elsewhere(path));
	assert_null(fopen(path, "r"));
	assert_null(fopen(path, "w"));
}

static void
all_else_is_as_it_is(void **state)
{
	char path[256];

	(void)state;
	unsetenv(CREDENTIALS_VARIABLE);
	setenv("OTHER", "value", 1);
	assert_string_equal(credentials_lookup("OTHER"), "value");
	unsetenv("OTHER");
	assert_null(credentials_lookup("OTHER"));
	snprintf(path, sizeof path, "%s-not",
	    credentials_lookup(CREDENTIALS_VARIABLE));
	assert_false(credentials_are_elsewhere(path));
	assert_false(credentials_are_elsewhere("/run/credentials/x"));
	assert_false(credentials_are_elsewhere(""));
	assert_false(credentials_are_elsewhere(NULL));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_that_is_there_is_that_one),
		cmocka_unit_test(without_one_nothing_can_be_in_it),
		cmocka_unit_test(all_else_is_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
