/*
 * Profiles are what their systems say they are; a mapping changes what it
 * names and nothing else; and a code that is said to mean two things is a
 * mistake with its place.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/exit_codes.h"

#include "base/clock.h"
#include "tests/unit/settings_file.h"

/* A job with this for its exit_codes; freed with settings_free(). */
static struct settings *
with(const char *exit_codes)
{
	char text[1024];

	(void)snprintf(text, sizeof text,
	    "jobs: {a: {exec: [/bin/sh], later: 5s, exit_codes: %s}}\n",
	    exit_codes);
	return good(text);
}

static void
with_mistake(const char *exit_codes, const char *want)
{
	char text[1024];

	(void)snprintf(text, sizeof text,
	    "jobs:\n  a:\n    exec: [/bin/sh]\n    exit_codes: %s\n",
	    exit_codes);
	bad(text, want);
}

/* One letter for each action, so that a profile can be read at a glance. */
static char
letter(const struct settings *s, int code)
{
	return exit_action_name(s->handlers[0].exit_codes.of[code].action)[0];
}

/* `others` is what every code means that does not stand in `named`. */
static void
expect(const char *exit_codes, char others, const char *named)
{
	struct settings *s = with(exit_codes);

	for (int code = 0; code < EXIT_CODES; code++) {
		char key[16], want = others;

		(void)snprintf(key, sizeof key, " %d=", code);
		const char *at = strstr(named, key);
		if (at != NULL)
			want = at[strlen(key)];
		if (letter(s, code) != want)
			fail_msg("%s: %d is %c, expected %c", exit_codes, code,
			    letter(s, code), want);
	}
	settings_free(s);
}

/* o ok, r retry, l later, d dead or discard. */
static void
profiles_are_those_of_their_systems(void **state)
{
	(void)state;
	expect("default", 'r', " 0=o 65=d 75=l");
	expect("plain", 'r', " 0=o");
	expect("sysexits", 'r',
	    " 0=o 64=d 65=d 66=d 67=d 68=d 69=d 70=d 71=d 72=d 73=d 74=d 75=l"
	    " 76=d 77=d 78=d");
	expect("qmail", 'r',
	    " 0=o 99=o 64=d 65=d 70=d 76=d 77=d 78=d 100=d 112=d 111=l");
	expect("rabbitmq-strict", 'r', " 0=o 3=d 4=l 5=d");
	expect("airflow", 'r', " 0=o 99=d");
}

static void
a_job_without_the_setting_has_the_default(void **state)
{
	struct settings *s = good(JOBS);

	(void)state;
	assert_int_equal(letter(s, 0), 'o');
	assert_int_equal(letter(s, 1), 'r');
	assert_int_equal(letter(s, 65), 'd');
	assert_int_equal(letter(s, 75), 'l');
	assert_int_equal(s->handlers[0].later, 60 * CLOCK_NS_PER_S);
	settings_free(s);
}

static void
skipping_is_no_death(void **state)
{
	struct settings *s = with("airflow");

	(void)state;
	assert_int_equal(s->handlers[0].exit_codes.of[99].action, EXIT_DISCARD);
	settings_free(s);
}

static void
a_mapping_changes_what_it_names(void **state)
{
	(void)state;
	expect("{3: dead}", 'r', " 0=o 3=d 65=d 75=l");
	expect("{10-12: dead, 255: ok}", 'r',
	    " 0=o 10=d 11=d 12=d 65=d 75=l 255=o");
	expect("{65: retry}", 'r', " 0=o 75=l");
	expect("{\"*\": dead}", 'd', " 0=o");
	expect("{7: ok, \"*\": dead, 8: later}", 'd', " 0=o 7=o 8=l");
	expect("{0-255: dead}", 'd', "");
	expect("{}", 'r', " 0=o 65=d 75=l");
}

static void
a_delay_is_its_own_or_the_handlers(void **state)
{
	struct settings *s =
	    with("{3: {retry_in: 90s}, 4: later, 5: {retry_in: 0}}");
	const struct exit_code *of = s->handlers[0].exit_codes.of;

	(void)state;
	assert_int_equal(of[3].action, EXIT_LATER);
	assert_int_equal(of[3].retry_in, 90 * CLOCK_NS_PER_S);
	assert_int_equal(of[4].action, EXIT_LATER);
	assert_int_equal(of[4].retry_in, -1);
	assert_int_equal(of[5].retry_in, 0);
	assert_int_equal(s->handlers[0].later, 5 * CLOCK_NS_PER_S);
	settings_free(s);
}

static void
mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{256: dead}",
		    "t.yaml:4:18: jobs.a.exit_codes: \"256\" is no exit code, "
		    "expected 0 to 255, a range such as 10-19, or \"*\"\n" },
		{ "{9-3: dead}",
		    "t.yaml:4:18: jobs.a.exit_codes: \"9-3\" is no exit code, "
		    "expected 0 to 255, a range such as 10-19, or \"*\"\n" },
		{ "{one: dead}",
		    "t.yaml:4:18: jobs.a.exit_codes: \"one\" is no exit code, "
		    "expected 0 to 255, a range such as 10-19, or \"*\"\n" },
		{ "{3: deed}",
		    "t.yaml:4:21: jobs.a.exit_codes: \"deed\" means nothing, "
		    "expected ok, retry, later, dead, discard or "
		    "{retry_in: TIME}\n" },
		{ "{10-19: dead, 15: ok}",
		    "t.yaml:4:31: jobs.a.exit_codes: \"15\" overlaps with line "
		    "4, column 18, expected each code once\n" },
		{ "{15: ok, 10-19: dead}",
		    "t.yaml:4:26: jobs.a.exit_codes: \"10-19\" overlaps with "
		    "line 4, column 18, expected each code once\n" },
		{ "{\"*\": ok, \"*\": dead}",
		    "t.yaml:4:27: jobs.a.exit_codes: \"*\" overlaps with line "
		    "4, column 18, expected each code once\n" },
		{ "{3: {retry_in: 60}}",
		    "t.yaml:4:32: jobs.a.exit_codes.retry_in: \"60\" has no "
		    "unit, expected 0s to 30d such as 90s or 5m\n" },
		{ "{3: {}}",
		    "t.yaml:4:21: jobs.a.exit_codes: empty, expected ok, "
		    "retry, "
		    "later, dead, discard or {retry_in: TIME}\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		with_mistake(cases[i].text, cases[i].want);
	with_mistake("sysexit",
	    "t.yaml:4:17: jobs.a.exit_codes: \"sysexit\" is no profile, "
	    "expected a profile (default, plain, sysexits, qmail, "
	    "rabbitmq-strict, airflow) or a mapping of exit codes to ok, "
	    "retry, later, dead, discard or {retry_in: TIME}\n");
	with_mistake("[3]",
	    "t.yaml:4:17: jobs.a.exit_codes: a list, expected a profile "
	    "(default, plain, sysexits, qmail, rabbitmq-strict, airflow) or a "
	    "mapping of exit codes to ok, retry, later, dead, discard or "
	    "{retry_in: TIME}\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_those_of_their_systems),
		cmocka_unit_test(a_job_without_the_setting_has_the_default),
		cmocka_unit_test(skipping_is_no_death),
		cmocka_unit_test(a_mapping_changes_what_it_names),
		cmocka_unit_test(a_delay_is_its_own_or_the_handlers),
		cmocka_unit_test(mistakes_are_told_with_their_place),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
