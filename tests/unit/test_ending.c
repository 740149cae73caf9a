/*
 * How a job ended is told to the server and to the log in its own words, and
 * what must not run again is buried.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/ending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/dispatch_sample.h"
#include "tests/unit/heard_log.h"

static void
each_end_is_told_in_its_own_words(void **state)
{
	static const struct {
		const char *jobtype, *rest, *told;
	} cases[] = {
		{ "ok", "", "< ACK {\"jid\":\"job-0001\"}" },
		{ "arg", ",\"args\":[\"a b\"]", "< ACK" },
		{ "fed", ",\"args\":[7]", "< ACK" },
		{ "litter", "", "< ACK" },
		{ "fail", "",
		    FAIL("ExitStatus",
			"exit 3: two") "\",\"backtrace\":[\"one\",\"two\"]}" },
		{ "fail", ",\"backtrace\":1",
		    FAIL("ExitStatus",
			"exit 3: two") "\",\"backtrace\":[\"one\"]}" },
		{ "signal", "", FAIL("Signal", "killed by SIGSEGV") },
		{ "short", "",
		    /* Of its 100 ms a busy host may leave it few. */
		    FAIL("Timeout", "stopped after 0.") },
		{ "nope", "",
		    FAIL("UnknownJobtype",
			"no handler for jobtype \\\"nope\\\" in t.yaml\"") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *const script[] = { "accept", "greet", cases[i].told,
			"> +OK", NULL };
		struct sample s;

		set_up(&s, script);
		take(&s, cases[i].jobtype, cases[i].rest);
		turn_until(s.loop, &s.none_left);
		assert_int_equal(s.ends, 1);
		tear_down(&s);
	}
}

static void
what_must_not_run_again_is_buried(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("ExitStatus", "exit 65\",\"retry\":-1}"), "> +OK",
		"< MUTATE {\"cmd\":\"kill\",\"target\":\"retries\"", "> +OK",
		NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "dead", "");
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

/* The same data would not fit the next time either. */
static void
what_does_not_fit_is_buried(void **state)
{
	static const char *const script[] = { "accept", "greet",
		FAIL("BadArgument",
		    "argument 1: {args.0} is missing\",\"retry\":-1}"),
		"> +OK", "< MUTATE {\"cmd\":\"kill\",\"target\":\"retries\"",
		"> +OK", NULL };
	struct sample s;

	(void)state;
	set_up(&s, script);
	take(&s, "arg", "");
	turn_until(s.loop, &s.none_left);
	tear_down(&s);
}

static void
the_log_tells_each_end_with_its_raw_status(void **state)
{
	static const char *const script[] = { "accept", "greet", "< ACK",
		"< FAIL", "> +OK", "> +OK", NULL };
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s, script);
	heard_begin(&heard);
	take(&s, "ok", "");
	while (dispatch_busy(s.dispatch) > 0)
		ev_run(s.loop, EVRUN_ONCE);
	take(&s, "fail", ",\"retry\":2");
	turn_until(s.loop, &s.none_left);
	heard_end(&heard);
	assert_non_null(
	    strstr(heard.text, "<6>jid=job-0001 type=ok  done in 0."));
	assert_non_null(
	    strstr(heard.text, " s (attempt 1 of 26, status 0x0000)\n"));
	assert_non_null(strstr(
	    heard.text, "<6>jid=job-0001 type=fail stream=stderr  one\n"));
	assert_non_null(strstr(heard.text,
	    "<4>jid=job-0001 type=fail  ExitStatus: exit 3: two; retry after "
	    "0."));
	assert_non_null(strstr(
	    heard.text, " s (attempt 1 of 3, status 0x0300); reported FAIL\n"));
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_is_told_in_its_own_words),
		cmocka_unit_test(what_must_not_run_again_is_buried),
		cmocka_unit_test(what_does_not_fit_is_buried),
		cmocka_unit_test(the_log_tells_each_end_with_its_raw_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
