/*
 * Every match goes, or only its group; what matches nothing changes nothing
 * and never loops; a pattern that cannot be read is told with its place.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/patterns.h"

#include "tests/unit/settings_file.h"

static void
expect(const char *patterns, const char *text, const char *want)
{
	char yaml[1024];

	(void)snprintf(yaml, sizeof yaml,
	    "jobs: {a: {exec: [/bin/sh], redact: %s}}\n", patterns);
	struct settings *s = good(yaml);
	char *got = patterns_redact(s->handlers[0].redact, text);

	assert_string_equal(got, want);
	free(got);
	settings_free(s);
}

static void
every_match_goes(void **state)
{
	(void)state;
	expect("[]", "as it was", "as it was");
	expect("[x]", "", "");
	expect("[secret]", "a secret, secret", "a [redacted], [redacted]");
	expect("['^a']", "aaa", "[redacted]aa");
	expect("['a$']", "aaa", "aa[redacted]");
	expect(
	    "['[0-9]{13,16}']", "card 4111111111111111.", "card [redacted].");
	expect("[a, b]", "ab", "[redacted][redacted]");
}

static void
with_a_group_the_rest_stays(void **state)
{
	(void)state;
	expect("['key=([^ ]+)']", "key=1 key=22 end",
	    "key=[redacted] key=[redacted] end");
	expect("['(x)?y']", "xy y", "[redacted]y [redacted]");
	expect("['k=(.*)']", "k=", "k=");
}

static void
a_match_of_nothing_ends(void **state)
{
	(void)state;
	expect("['x*']", "abxxc", "ab[redacted]c");
	expect("['^']", "abc", "abc");
	expect("['$']", "abc", "abc");
	expect("['(z*)']", "\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9");
}

static void
mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	bad("jobs: {a: {exec: [/bin/sh], redact: ['(']}}\n",
	    "t.yaml:1:38: jobs.a.redact: \"(\": Unmatched ( or \\(, expected a "
	    "POSIX extended regular expression\n");
	bad("jobs: {a: {exec: [/bin/sh], redact: ['']}}\n",
	    "t.yaml:1:38: jobs.a.redact: empty, expected a pattern of 1 to "
	    "1024 bytes\n");
	bad("jobs: {a: {exec: [/bin/sh], redact: x}}\n",
	    "t.yaml:1:37: jobs.a.redact: a single value stands here, expected "
	    "a "
	    "list of patterns\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_match_goes),
		cmocka_unit_test(with_a_group_the_rest_stays),
		cmocka_unit_test(a_match_of_nothing_ends),
		cmocka_unit_test(mistakes_are_told_with_their_place),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
