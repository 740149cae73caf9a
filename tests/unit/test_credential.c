/*
 * A password that was refused is looked for where it was read, once a second
 * at most, and everybody who was refused hears of the new one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/heard_log.h"

static char file[] = "/tmp/test_credential.XXXXXX";

static void
write_file(const char *text)
{
	FILE *f = fopen(file, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
set_up(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return unlink(file);
}

static void
a_new_one_is_found_and_everybody_hears_of_it(void **state)
{
	struct credential *c = credential_new();
	struct heard heard;

	(void)state;
	assert_null(credential_text(c));
	write_file("first\n");
	assert_int_equal(credential_set(c, "first", file), 0);
	unsigned used = credential_number(c);
	write_file("second\n");
	heard_begin(&heard);
	assert_true(credential_renew(c, used));
	heard_end(&heard);
	assert_string_equal(credential_text(c), "second");
	/* Another conversation that had shown the first one. */
	write_file("third\n");
	assert_true(credential_renew(c, used));
	assert_string_equal(credential_text(c), "second");
	assert_non_null(strstr(heard.text, file));
	assert_null(strstr(heard.text, "first"));
	assert_null(strstr(heard.text, "second"));
	credential_free(c);
}

static void
looks_are_a_second_apart(void **state)
{
	struct credential *c = credential_new();

	(void)state;
	write_file("same\n");
	assert_int_equal(credential_set(c, "same", file), 0);
	unsigned used = credential_number(c);
	assert_false(credential_renew(c, used));
	write_file("other\n");
	assert_false(credential_renew(c, used));
	/* A reading of the configuration begins anew. */
	assert_int_equal(credential_set(c, "same", file), 0);
	assert_int_equal(credential_number(c), used);
	assert_true(credential_renew(c, used));
	assert_string_equal(credential_text(c), "other");
	credential_free(c);
}

static void
what_cannot_be_read_changes_nothing(void **state)
{
	static const struct {
		const char *text, *file;
		bool told;
	} cases[] = {
		{ "secret", NULL, false },
		{ "secret", "/nowhere/at/all", true },
		{ "secret", "/tmp", true },
		{ NULL, "/nowhere/at/all", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct credential *c = credential_new();
		struct heard heard;

		assert_int_equal(
		    credential_set(c, cases[i].text, cases[i].file), 0);
		heard_begin(&heard);
		assert_false(credential_renew(c, credential_number(c)));
		heard_end(&heard);
		assert_int_equal(
		    strstr(heard.text, "cannot be read again") != NULL,
		    cases[i].told);
		if (cases[i].text != NULL)
			assert_string_equal(credential_text(c), "secret");
		credential_free(c);
	}
	assert_false(credential_renew(NULL, 0));
	credential_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_one_is_found_and_everybody_hears_of_it),
		cmocka_unit_test(looks_are_a_second_apart),
		cmocka_unit_test(what_cannot_be_read_changes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
