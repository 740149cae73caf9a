/*
 * Which credentials a job may be given: those of the service, and none that
 * is the supervisor's alone.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/grants.h"

#include "tests/unit/settings_file.h"

#define JOB(rest) "jobs: {a: {exec: [/bin/sh], credentials: [" rest "]}}\n"
#define WHERE     "t.yaml:1:43: jobs.a.credentials: "

static void
names_of_the_service_are_kept(void **state)
{
	(void)state;
	put_file("pw", "x", 1, 0600);
	put_file("prog", "y", 1, 0600);
	credentials = scratch;
	struct settings *s = good("defaults: {credentials: [prog]}\n"
				  "jobs: {a: {exec: [/bin/sh]},\n"
				  "  b: {exec: [/bin/sh], credentials: [pw, "
				  "prog]},\n"
				  "  c: {exec: [/bin/sh], credentials: []}}\n");
	const struct grants *a = s->handlers[0].credentials;
	const struct grants *b = s->handlers[1].credentials;

	assert_int_equal(a->count, 1);
	assert_string_equal(a->names[0], "prog");
	assert_string_equal(a->dir, scratch);
	assert_int_equal(b->count, 2);
	assert_string_equal(b->names[0], "pw");
	assert_null(s->handlers[2].credentials);
	settings_free(s);
	credentials = NULL;
}

static void
what_cannot_be_given_is_told_with_its_place(void **state)
{
	static const struct {
		const char *file, *want;
	} cases[] = {
		{ JOB("../pw"),
		    WHERE "\"../pw\" cannot be a credential, expected at most "
			  "200 bytes without '/' and no '.' in front\n" },
		{ JOB("''"),
		    WHERE "\"\" cannot be a credential, expected at most 200 "
			  "bytes without '/' and no '.' in front\n" },
		{ JOB("a/b"),
		    WHERE "\"a/b\" cannot be a credential, expected at most "
			  "200 bytes without '/' and no '.' in front\n" },
		{ JOB("faktory-password"),
		    WHERE "faktory-password is the server's password, expected "
			  "another credential\n" },
		{ JOB("absent"),
		    WHERE "\"absent\" is not in CREDENTIALS_DIRECTORY: No such "
			  "file or directory, expected one of the service's "
			  "LoadCredential=\n" },
		{ "password: {credential: pw}\n" JOB("pw"),
		    "t.yaml:2:42: jobs.a.credentials: pw is the server's "
		    "password, expected another credential\n" },
		{ JOB("pw, pw"),
		    "t.yaml:1:47: jobs.a.credentials: \"pw\" stands twice, "
		    "expected each once\n" },
	};

	(void)state;
	put_file("pw", "x", 1, 0600);
	credentials = scratch;
	for (size_t i = 0; i < COUNT(cases); i++)
		bad(cases[i].file, cases[i].want);
	credentials = NULL;
}

/* A reload's check has no directory; its settings are no mistake for that. */
static void
without_a_directory_it_is_a_warning(void **state)
{
	char all[8192] = "";
	struct settings *s = good(JOB("pw"));

	(void)state;
	assert_true(grants_lack(s->handlers[0].credentials));
	settings_warnings(s, collect, all);
	assert_string_equal(all,
	    "t.yaml:1:42: jobs.a.credentials: CREDENTIALS_DIRECTORY is not "
	    "there to be read: where the supervisor runs like this, the job "
	    "fails as HandlerUnavailable\n");
	settings_free(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_service_are_kept),
		cmocka_unit_test(what_cannot_be_given_is_told_with_its_place),
		cmocka_unit_test(without_a_directory_it_is_a_warning),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
