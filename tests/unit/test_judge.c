/*
 * An operator's exit codes decide what becomes of a job, delays included.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/judge.h"

#include <signal.h>

#include "base/clock.h"
#include "tests/unit/settings_file.h"

static void
expect(
    const struct settings *s, int code, enum verdict_kind kind, int64_t seconds)
{
	const struct run_facts facts = {
		.started = true, .status = code << 8, .tail = ""
	};
	struct verdict v;

	judge(&v, &s->handlers[0], &facts, NULL, NULL);
	assert_int_equal(v.kind, kind);
	assert_int_equal(v.retry_in, seconds * CLOCK_NS_PER_S);
	verdict_clear(&v);
}

static void
exit_codes_decide(void **state)
{
	struct settings *s = good(
	    "jobs: {a: {exec: [/bin/sh], later: 9s, exit_codes: {1: ok, 2: "
	    "later, 3: {retry_in: 4s}, 4: dead, 5: discard}}}\n");

	(void)state;
	expect(s, 0, VERDICT_DONE, 0);
	expect(s, 1, VERDICT_DONE, 0);
	expect(s, 2, VERDICT_LATER, 9);
	expect(s, 3, VERDICT_LATER, 4);
	expect(s, 4, VERDICT_DEAD, 0);
	expect(s, 5, VERDICT_DISCARD, 0);
	expect(s, 6, VERDICT_RETRY, 0);
	expect(s, 65, VERDICT_DEAD, 0);
	settings_free(s);
}

static void
an_error_has_the_name_its_trace_gives(void **state)
{
	static const char tail[] = "starting\n"
				   "Traceback (most recent call last):\n"
				   "  File \"a.py\", line 3, in f\n"
				   "acme.NoRow: \xff no row\n";
	struct settings *s =
	    good("jobs: {a: {exec: [/bin/sh], error_parser: python}, "
		 "b: {exec: [/bin/sh]}}\n");
	struct run_facts facts = { .started = true,
		.status = 1 << 8,
		.tail = tail,
		.tail_len = sizeof tail - 1 };
	struct verdict v;

	(void)state;
	judge(&v, &s->handlers[0], &facts, NULL, NULL);
	assert_string_equal(v.errtype, "acme.NoRow");
	assert_string_equal(v.message, "\xef\xbf\xbd no row");
	assert_int_equal(v.nlines, 3);
	assert_string_equal(
	    v.backtrace[0], "Traceback (most recent call last):");
	verdict_clear(&v);

	judge(&v, &s->handlers[1], &facts, NULL, NULL); /* nobody asked */
	assert_string_equal(v.errtype, "ExitStatus");
	assert_int_equal(v.nlines, 4);
	verdict_clear(&v);

	facts.reason = RUN_TIMEOUT; /* what we did says more */
	judge(&v, &s->handlers[0], &facts, NULL, NULL);
	assert_string_equal(v.errtype, "Timeout");
	verdict_clear(&v);

	facts.reason = RUN_BY_ITSELF;
	facts.status = 0; /* a trace that was survived */
	judge(&v, &s->handlers[0], &facts, NULL, NULL);
	assert_int_equal(v.kind, VERDICT_DONE);
	assert_string_equal(v.errtype, "");
	verdict_clear(&v);
	settings_free(s);
}

static void
what_must_not_leave_the_host_does_not(void **state)
{
	static const char tail[] =
	    "GET /?token=abc123&x=1 token=zz\n"
	    "mail bob@example.org: password=hunter2 no\n";
	struct settings *s =
	    good("defaults: {redact: ['token=([^& ]+)', '[a-z]+@[a-z.]+']}\n"
		 "jobs: {a: {exec: [/bin/sh]}, b: {exec: [/bin/sh], redact: "
		 "['password=([^ ]+)']}}\n");
	const struct run_facts facts = { .started = true,
		.status = 1 << 8,
		.tail = tail,
		.tail_len = sizeof tail - 1 };
	struct verdict v;

	(void)state;
	judge(&v, &s->handlers[0], &facts, NULL, NULL);
	assert_string_equal(
	    v.message, "exit 1: mail [redacted]: password=hunter2 no");
	assert_int_equal(v.nlines, 2);
	assert_string_equal(
	    v.backtrace[0], "GET /?token=[redacted]&x=1 token=[redacted]");
	assert_string_equal(
	    v.backtrace[1], "mail [redacted]: password=hunter2 no");
	verdict_clear(&v);
	judge(&v, &s->handlers[1], &facts, NULL, NULL); /* its own instead */
	assert_string_equal(
	    v.message, "exit 1: mail bob@example.org: password=[redacted] no");
	verdict_clear(&v);
	settings_free(s);
}

static void
refined(
    const struct settings *s, int status, const char *line, struct verdict *v)
{
	const struct run_facts facts = { .started = true,
		.status = status,
		.spoke = true,
		.tail = "last words\n",
		.tail_len = 11 };
	struct message m;
	const char *why;

	assert_int_equal(message_read(&m, line, strlen(line), &why), 0);
	judge(v, &s->handlers[0], &facts, &m, NULL);
}

static void
what_a_program_says_of_its_failure_counts(void **state)
{
	struct settings *s = good(
	    "jobs: {a: {exec: [/bin/sh], redact: ['[0-9]{4}'], later: 9s}}\n");
	struct verdict v;

	(void)state;
	refined(s, 1 << 8,
	    "{\"type\":\"error\",\"errtype\":\"NoRow\",\"message\":\"card "
	    "1234\\u0007 \\u00e4\",\"backtrace\":[\"f 5678\",\"g\"]}",
	    &v);
	assert_int_equal(v.kind, VERDICT_RETRY);
	assert_string_equal(v.errtype, "NoRow");
	assert_string_equal(v.message, "card [redacted]  \xc3\xa4");
	assert_int_equal(v.nlines, 2);
	assert_string_equal(v.backtrace[0], "f [redacted]");
	verdict_clear(&v);

	refined(s, 127 << 8, "{\"type\":\"error\",\"retry\":false}", &v);
	assert_int_equal(v.kind, VERDICT_DEAD);
	assert_string_equal(v.errtype, "ExitStatus");
	assert_string_equal(v.message, "exit 127: last words");
	assert_int_equal(v.nlines, 1);
	verdict_clear(&v);

	refined(s, 1 << 8, "{\"type\":\"error\",\"retry\":\"discard\"}", &v);
	assert_int_equal(v.kind, VERDICT_DISCARD);
	verdict_clear(&v);

	refined(s, 1 << 8, "{\"type\":\"error\",\"retry_in\":30}", &v);
	assert_int_equal(v.kind, VERDICT_LATER);
	assert_int_equal(v.retry_in, 30 * CLOCK_NS_PER_S);
	verdict_clear(&v);

	refined(s, 75 << 8, "{\"type\":\"error\",\"message\":\"\"}", &v);
	assert_int_equal(v.kind, VERDICT_LATER);
	assert_int_equal(v.retry_in, 9 * CLOCK_NS_PER_S);
	assert_string_equal(v.message, "exit 75: last words");
	verdict_clear(&v);

	/* An exit status of our own profile stays what it is. */
	refined(s, 65 << 8, "{\"type\":\"error\",\"retry_in\":30}", &v);
	assert_int_equal(v.kind, VERDICT_DEAD);
	assert_int_equal(v.retry_in, 0);
	verdict_clear(&v);
	settings_free(s);
}

static void
what_is_no_failing_status_is_not_refined(void **state)
{
	static const char line[] =
	    "{\"type\":\"error\",\"errtype\":\"E\",\"retry\":false}";
	struct settings *s = good("jobs: {a: {exec: [/bin/sh]}}\n");
	struct verdict v;

	(void)state;
	refined(s, 0, line, &v);
	assert_int_equal(v.kind, VERDICT_DONE);
	assert_string_equal(v.errtype, "");
	verdict_clear(&v);
	refined(s, SIGSEGV, line, &v);
	assert_int_equal(v.kind, VERDICT_RETRY);
	assert_string_equal(v.errtype, "Signal");
	verdict_clear(&v);
	settings_free(s);
}

/* What it started would be lost if it counted as done. */
static void
a_job_that_cannot_be_pushed_fails_its_sender_and_no_failure(void **state)
{
	struct settings *s = good("jobs: {t: {exec: [/bin/sh]}}\n");
	struct run_facts facts = { .started = true, .tail = "" };
	struct verdict v;

	(void)state;
	judge(&v, &s->handlers[0], &facts, NULL, "follow-up job 1: too large");
	assert_int_equal(v.kind, VERDICT_RETRY);
	assert_string_equal(v.errtype, "PushRefused");
	assert_string_equal(v.message, "follow-up job 1: too large");
	verdict_clear(&v);
	facts.status = 65 << 8;
	judge(&v, &s->handlers[0], &facts, NULL, "follow-up job 1: too large");
	assert_int_equal(v.kind, VERDICT_DEAD);
	assert_string_equal(v.errtype, "ExitStatus");
	verdict_clear(&v);
	settings_free(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes_decide),
		cmocka_unit_test(what_a_program_says_of_its_failure_counts),
		cmocka_unit_test(what_is_no_failing_status_is_not_refined),
		cmocka_unit_test(an_error_has_the_name_its_trace_gives),
		cmocka_unit_test(what_must_not_leave_the_host_does_not),
		cmocka_unit_test(
		    a_job_that_cannot_be_pushed_fails_its_sender_and_no_failure),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
