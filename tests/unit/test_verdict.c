/*
 * verdict: what we did to a program counts before how it ended; a signal or a
 * failed start is never success; the text for the job is one valid line.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/verdict.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/utf8.h"

enum { DUMPED = 0x80 };

static struct run_facts
ended(int status, const char *tail)
{
	return (struct run_facts){
		.started = true,
		.status = status,
		.elapsed = INT64_C(2540000000),
		.tail = tail,
		.tail_len = strlen(tail),
	};
}

/* 0 is done, everything else is tried again. */
static void
reach(struct verdict *v, const struct run_facts *facts)
{
	const struct verdict_exit meaning = {
		facts->status == 0 ? VERDICT_DONE : VERDICT_RETRY, 0
	};

	verdict_reach(v, facts, "/opt/x", meaning);
}

static void
check(const struct run_facts *facts, enum verdict_kind kind,
    const char *errtype, const char *message)
{
	struct verdict v;

	reach(&v, facts);
	assert_int_equal(v.kind, kind);
	assert_string_equal(v.errtype, errtype);
	assert_string_equal(v.message, message);
	verdict_clear(&v);
	assert_int_equal(v.nlines, 0);
}

static void
exit_status_alone_is_enough(void **state)
{
	static const struct {
		int code;
		enum verdict_kind kind;
		const char *errtype, *message;
	} cases[] = {
		{ 0, VERDICT_DONE, "", "" },
		{ 1, VERDICT_RETRY, "ExitStatus", "exit 1: no such row" },
		{ 126, VERDICT_RETRY, "HandlerUnavailable",
		    "exit 126: no such row" },
		{ 127, VERDICT_RETRY, "HandlerUnavailable",
		    "exit 127: no such row" },
		{ 255, VERDICT_RETRY, "ExitStatus", "exit 255: no such row" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct run_facts f =
		    ended(cases[i].code << 8, "first\n no such row\r\n\n \t\n");
		check(&f, cases[i].kind, cases[i].errtype, cases[i].message);
	}
}

static void
an_exit_status_means_what_it_is_said_to_mean(void **state)
{
	static const struct {
		int code;
		struct verdict_exit meaning;
		int64_t retry_in;
		const char *message;
	} cases[] = {
		{ 99, { VERDICT_DONE, 7 }, 0, "" },
		{ 0, { VERDICT_RETRY, 7 }, 0, "exit 0: no such row" },
		{ 75, { VERDICT_LATER, 7 }, 7, "exit 75: no such row" },
		{ 65, { VERDICT_DEAD, 7 }, 0, "exit 65: no such row" },
		{ 98, { VERDICT_DISCARD, 7 }, 0, "exit 98: no such row" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct run_facts f = ended(cases[i].code << 8, "no such row\n");
		struct verdict v;

		verdict_reach(&v, &f, "/opt/x", cases[i].meaning);
		assert_int_equal(v.kind, cases[i].meaning.kind);
		assert_int_equal(v.retry_in, cases[i].retry_in);
		assert_string_equal(v.message, cases[i].message);
		verdict_clear(&v);
	}
}

static void
a_meaning_is_for_those_who_ended_by_themselves(void **state)
{
	static const struct verdict_exit done = { VERDICT_DONE, 0 };
	struct run_facts f = ended(SIGKILL, "");
	struct verdict v;

	(void)state;
	verdict_reach(&v, &f, "/opt/x", done);
	assert_int_equal(v.kind, VERDICT_RETRY);
	verdict_clear(&v);
	f = ended(0, "");
	f.reason = RUN_TIMEOUT;
	verdict_reach(&v, &f, "/opt/x", done);
	assert_int_equal(v.kind, VERDICT_RETRY);
	verdict_clear(&v);
}

static void
a_signal_is_a_failure_with_its_name(void **state)
{
	static const struct {
		int status;
		const char *message;
	} cases[] = {
		{ SIGSEGV, "killed by SIGSEGV" },
		{ SIGSEGV | DUMPED, "killed by SIGSEGV (core dumped)" },
		{ SIGKILL, "killed by SIGKILL" },
		{ SIGTERM, "killed by SIGTERM" },
		{ SIGABRT | DUMPED, "killed by SIGABRT (core dumped)" },
		{ 40, "killed by signal 40" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct run_facts f = ended(cases[i].status, "some words\n");
		check(&f, VERDICT_RETRY, "Signal", cases[i].message);
	}
}

static void
what_we_did_counts_before_how_it_ended(void **state)
{
	static const struct {
		enum run_reason reason;
		bool killed;
		const char *errtype, *message;
	} cases[] = {
		{ RUN_TIMEOUT, false, "Timeout",
		    "stopped after 2.5 s: ran out of time" },
		{ RUN_TIMEOUT, true, "Timeout",
		    "stopped after 2.5 s: ran out of time; TERM was not "
		    "enough, so it was killed" },
		{ RUN_OUTPUT_LIMIT, false, "OutputLimit",
		    "stopped after 2.5 s: wrote more than its output limit" },
		{ RUN_SHUTDOWN, false, "Shutdown",
		    "stopped after 2.5 s: the supervisor shuts down" },
		{ RUN_CANCELLED, false, "Cancelled",
		    "stopped after 2.5 s: cancelled" },
		{ RUN_LOST, false, "ReservationLost",
		    "stopped after 2.5 s: its reservation is gone" },
	};
	static const int statuses[] = { 0, 1 << 8, 65 << 8, SIGTERM, SIGKILL };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t k = 0; k < 5; k++) {
			struct run_facts f = ended(statuses[k], "words\n");
			f.reason = cases[i].reason;
			f.killed = cases[i].killed;
			check(&f, VERDICT_RETRY, cases[i].errtype,
			    cases[i].message);
		}
}

static void
a_program_that_could_not_start_is_not_the_jobs_fault(void **state)
{
	struct run_facts f = { .why = { SPAWN_EXEC, ENOENT } };

	(void)state;
	check(&f, VERDICT_RETRY, "HandlerUnavailable",
	    "/opt/x: exec: No such file or directory");
	f.why = (struct spawn_failure){ SPAWN_WORKDIR, EACCES };
	check(&f, VERDICT_RETRY, "HandlerUnavailable",
	    "/opt/x: workdir: Permission denied");
	f.reason = RUN_SHUTDOWN; /* asked to stop while it was starting */
	check(&f, VERDICT_RETRY, "HandlerUnavailable",
	    "/opt/x: workdir: Permission denied");
}

static void
without_stderr_the_status_is_all(void **state)
{
	static const char *const nothing[] = { "", "\n\n", "  \r\n\t" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run_facts f = ended(3 << 8, nothing[i]);
		check(&f, VERDICT_RETRY, "ExitStatus", "exit 3");
	}
}

static void
messages_are_one_valid_line(void **state)
{
	static const struct {
		const char *tail;
		size_t len;
		const char *message;
	} cases[] = {
		{ "caf\xc3\xa9", 5, "exit 3: caf\xc3\xa9" },
		{ "caf\xe9!", 5, "exit 3: caf\xef\xbf\xbd!" },
		{ "cut \xe2\x82", 6, "exit 3: cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "a\0b", 3, "exit 3: a b" },
		{ "\x1b[31mred\x1b[0m", 12, "exit 3:  [31mred [0m" },
		{ "10%\r20%\n", 8, "exit 3: 10% 20%" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct run_facts f = ended(3 << 8, "");
		f.tail = cases[i].tail;
		f.tail_len = cases[i].len;
		check(&f, VERDICT_RETRY, "ExitStatus", cases[i].message);
	}
}

static void
a_long_message_is_cut_between_characters(void **state)
{
	char tail[5000];
	struct verdict v;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		memset(tail, 'x', shift);
		for (size_t i = shift; i + 3 <= sizeof tail; i += 3)
			memcpy(tail + i, "\xe2\x82\xac", 3);
		struct run_facts f = ended(3 << 8, "");
		f.tail = tail;
		f.tail_len = shift + (sizeof tail - shift) / 3 * 3;
		reach(&v, &f);
		size_t len = strlen(v.message);
		assert_true(len < sizeof v.message);
		assert_true(len > sizeof v.message - 4);
		for (size_t at = 0; at < len;) {
			size_t step = utf8_step(v.message + at, len - at);
			assert_int_not_equal(step, 0);
			at += step;
		}
		assert_null(strstr(v.message, UTF8_REPLACEMENT));
		verdict_clear(&v);
	}
}

static void
the_backtrace_is_the_last_50_lines_that_say_something(void **state)
{
	char tail[8192];
	size_t len = 0;
	struct verdict v;

	(void)state;
	for (int i = 0; i < 120; i++)
		len += (size_t)snprintf(tail + len, sizeof tail - len,
		    i % 2 ? "\n \n  line %d  \r\n" : "line %d\n", i);
	struct run_facts f = ended(1 << 8, tail);
	reach(&v, &f);
	assert_int_equal(v.nlines, VERDICT_LINES_MAX);
	assert_string_equal(v.backtrace[0], "line 70");
	assert_string_equal(v.backtrace[1], "  line 71");
	assert_string_equal(v.backtrace[49], "  line 119");
	assert_string_equal(v.message, "exit 1: line 119");
	verdict_clear(&v);
}

static void
success_keeps_no_backtrace_and_every_failure_does(void **state)
{
	struct run_facts f = ended(0, "a warning\n");
	struct verdict v;

	(void)state;
	reach(&v, &f);
	assert_int_equal(v.nlines, 0);
	verdict_clear(&v);
	f.reason = RUN_TIMEOUT;
	reach(&v, &f);
	assert_int_equal(v.nlines, 1);
	assert_string_equal(v.backtrace[0], "a warning");
	verdict_clear(&v);
}

static void
a_line_of_the_backtrace_has_a_limit(void **state)
{
	char tail[3000];
	struct run_facts f = ended(1 << 8, "");
	struct verdict v;

	(void)state;
	memset(tail, 'y', sizeof tail);
	f.tail = tail;
	f.tail_len = sizeof tail;
	reach(&v, &f);
	assert_int_equal(v.nlines, 1);
	assert_int_equal(strlen(v.backtrace[0]), 1000);
	verdict_clear(&v);
}

static void
kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(verdict_kind_name(VERDICT_DONE), "done");
	assert_string_equal(verdict_kind_name(VERDICT_RETRY), "retry");
	assert_string_equal(verdict_kind_name(VERDICT_LATER), "later");
	assert_string_equal(verdict_kind_name(VERDICT_DEAD), "dead");
	assert_string_equal(verdict_kind_name(VERDICT_DISCARD), "discard");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_status_alone_is_enough),
		cmocka_unit_test(an_exit_status_means_what_it_is_said_to_mean),
		cmocka_unit_test(
		    a_meaning_is_for_those_who_ended_by_themselves),
		cmocka_unit_test(a_signal_is_a_failure_with_its_name),
		cmocka_unit_test(what_we_did_counts_before_how_it_ended),
		cmocka_unit_test(
		    a_program_that_could_not_start_is_not_the_jobs_fault),
		cmocka_unit_test(without_stderr_the_status_is_all),
		cmocka_unit_test(messages_are_one_valid_line),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
		cmocka_unit_test(
		    the_backtrace_is_the_last_50_lines_that_say_something),
		cmocka_unit_test(
		    success_keeps_no_backtrace_and_every_failure_does),
		cmocka_unit_test(a_line_of_the_backtrace_has_a_limit),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
