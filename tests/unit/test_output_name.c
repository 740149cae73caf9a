/*
 * Nothing of a job's jid is a path: it stays within one name, of bounded
 * length, that belongs to its jobtype.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
check(const char *type, const char *jid, const char *want)
{
	char name[OUTPUT_NAME_BYTES], prefix[OUTPUT_NAME_BYTES];

	output_name(name, type, jid, "w-1");
	assert_string_equal(name, want);
	output_name_prefix(prefix, type);
	assert_true(output_name_is(name, prefix));
}

static void
names_are_plain(void **state)
{
	(void)state;
	check("resize", "8f2c", "resize.8f2c.w-1.log");
	check("a.b", "../../etc/passwd",
	    "a%2Eb.%2E%2E%2F%2E%2E%2Fetc%2Fpasswd.w-1.log");
	check("-rf", "\n\xff%2F", "%2Drf.%0A%FF%252F.w-1.log");
	check("", "", "..w-1.log");
}

static void
long_ones_are_cut_and_no_escape_within(void **state)
{
	char name[OUTPUT_NAME_BYTES], type[600], jid[600];

	(void)state;
	memset(type, '/', sizeof type - 1);
	memset(jid, 'j', sizeof jid - 1);
	type[sizeof type - 1] = jid[sizeof jid - 1] = '\0';
	output_name(name, type, jid, "w-1");
	assert_true(strlen(name) < 255);
	assert_null(strchr(name, '/'));
	assert_int_equal(strcspn(name, ".") % 3, 0);
}

static void
others_files_are_not_ours(void **state)
{
	(void)state;
	assert_false(output_name_is("resize.log", "resize."));
	assert_false(output_name_is("resize.x.log.gz", "resize."));
	assert_false(output_name_is("resizer.x.y.log", "resize."));
	assert_false(output_name_is(".log", "resize."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_plain),
		cmocka_unit_test(long_ones_are_cut_and_no_escape_within),
		cmocka_unit_test(others_files_are_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
