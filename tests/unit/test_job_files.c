/*
 * What a file's row says is kept; a row that could write elsewhere, steer a
 * program or take another's place is a mistake with its place.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/job_files.h"

#include "tests/unit/settings_file.h"

static void
rows_are_kept(void **state)
{
	struct settings *s =
	    good("jobs: {a: {exec: [/bin/sh], files: [\n"
		 "  {env: PHOTO, from: '{args.0.photo}', decode: base64, mode: "
		 "0640},\n"
		 "  {env: NOTE, from: '{custom.note}', name: note.txt}]}}\n");
	const struct job_files *f = s->handlers[0].files;

	(void)state;
	assert_int_equal(f->count, 2);
	assert_string_equal(f->at[0].env, "PHOTO");
	assert_string_equal(f->at[0].name, "PHOTO");
	assert_string_equal(f->at[0].from.text, "args.0.photo");
	assert_true(f->at[0].base64);
	assert_int_equal(f->at[0].mode, 0640);
	assert_string_equal(f->at[1].name, "note.txt");
	assert_int_equal(f->at[1].from.root, PATH_CUSTOM);
	assert_false(f->at[1].base64);
	assert_int_equal(f->at[1].mode, 0600);
	settings_free(s);
}

static void
mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *file, *want;
	} cases[] = {
		{ "{env: A}", "3: incomplete, expected env and from" },
		{ "{env: A, from: fixed}",
		    "18.from: \"fixed\" is fixed, expected one value of the "
		    "job such as \"{args.0.photo}\"" },
		{ "{env: A, from: '{args.0}x'}",
		    "18.from: \"{args.0}x\", expected one value of the job "
		    "such as \"{args.0.photo}\"" },
		{ "{env: A, from: '{jid}'}",
		    "18.from: \"{jid}\", expected one value of the job such "
		    "as \"{args.0.photo}\"" },
		{ "{env: A, from: '{args.0}', name: ../x}",
		    "3.name: \"../x\" cannot be a file's name, expected at "
		    "most 200 bytes without '/' and no '.' in front" },
		{ "{env: A, from: '{args.0}', name: a/b}",
		    "3.name: \"a/b\" cannot be a file's name, expected at "
		    "most 200 bytes without '/' and no '.' in front" },
		{ "{env: LD_PRELOAD, from: '{args.0}'}",
		    "3.env: LD_PRELOAD changes what a program runs, expected "
		    "another variable" },
		{ "{env: 9, from: '{args.0}'}",
		    "3.env: \"9\" cannot be a variable, expected letters, "
		    "digits and _" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512], want[512];
		const char *rest = strpbrk(cases[i].want, ".:");

		(void)snprintf(text, sizeof text,
		    "jobs: {a: {exec: [/bin/sh], files: [\n  %s]}}\n",
		    cases[i].file);
		(void)snprintf(want, sizeof want,
		    "t.yaml:2:%.*s: jobs.a.files%s\n",
		    (int)(rest - cases[i].want), cases[i].want, rest);
		bad(text, want);
	}
}

static void
two_files_have_two_names(void **state)
{
	(void)state;
	bad("jobs: {a: {exec: [/bin/sh], files: [\n"
	    "  {env: A, from: '{args.0}'}, {env: A, from: '{args.1}'}]}}\n",
	    "t.yaml:2:31: jobs.a.files: two files with one name or variable, "
	    "expected each once\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_kept),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(two_files_have_two_names),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
