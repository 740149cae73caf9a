/*
 * A line is one of six requests, with what belongs to it and nothing else; a
 * typing error never becomes another order.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/control_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
each_request_is_read(void **state)
{
	static const struct {
		const char *line;
		enum control_verb verb;
		const char *jid;
		bool wait;
	} good[] = {
		{ "{\"request\":\"status\"}", CONTROL_STATUS, "", false },
		{ " { \"request\" : \"tail\" } \r", CONTROL_TAIL, "", false },
		{ "{\"request\":\"tail\",\"jid\":\"a\"}", CONTROL_TAIL, "a",
		    false },
		{ "{\"jid\":\"\\u0061\\\"b\",\"request\":\"cancel\"}",
		    CONTROL_CANCEL, "a\"b", false },
		{ "{\"request\":\"quiet\"}", CONTROL_QUIET, "", false },
		{ "{\"request\":\"resume\"}", CONTROL_RESUME, "", false },
		{ "{\"request\":\"drain\"}", CONTROL_DRAIN, "", false },
		{ "{\"request\":\"drain\",\"wait\":true}", CONTROL_DRAIN, "",
		    true },
		{ "{\"wait\":false,\"request\":\"dr\\u0061in\"}", CONTROL_DRAIN,
		    "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct control_request q;
		struct err e = { 0 };

		if (control_request_read(
			good[i].line, strlen(good[i].line), &q, &e) < 0)
			fail_msg("%s: %s", good[i].line, e.text);
		assert_int_equal(q.verb, good[i].verb);
		assert_string_equal(q.jid, good[i].jid);
		assert_int_equal(q.wait, good[i].wait);
	}
}

static void
everything_else_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "", "no JSON" },
		{ "status", "no JSON" },
		{ "\"status\"", "no object" },
		{ "{\"request\":\"status\"}{}", "no JSON" },
		{ "{}", "request is missing" },
		{ "{\"request\":null}", "request is none of" },
		{ "{\"request\":\"Status\"}", "request is none of" },
		{ "{\"request\":\"reboot\"}", "request is none of" },
		{ "{\"Request\":\"status\"}", "a member is unknown" },
		{ "{\"request\":\"status\",\"x\":1}",
		    "a member is unknown: \"x\"" },
		{ "{\"request\":\"quiet\",\"request\":\"drain\"}",
		    "request stands twice" },
		{ "{\"request\":\"cancel\",\"jid\":\"a\",\"jid\":\"b\"}",
		    "jid stands twice" },
		{ "{\"request\":\"cancel\"}", "jid is missing" },
		{ "{\"request\":\"cancel\",\"jid\":\"\"}", "jid is no text" },
		{ "{\"request\":\"cancel\",\"jid\":7}", "jid is no text" },
		{ "{\"request\":\"cancel\",\"jid\":[\"a\"]}",
		    "jid is no text" },
		{ "{\"request\":\"cancel\",\"jid\":\"a\\u0000b\"}",
		    "jid has a NUL" },
		{ "{\"request\":\"quiet\",\"jid\":\"a\"}",
		    "quiet takes no jid" },
		{ "{\"request\":\"quiet\",\"wait\":true}",
		    "quiet takes no wait" },
		{ "{\"request\":\"drain\",\"wait\":1}", "wait is neither" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct control_request q;
		struct err e = { 0 };

		assert_int_equal(control_request_read(
				     bad[i].line, strlen(bad[i].line), &q, &e),
		    -EINVAL);
		if (strncmp(e.text, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("%s: %s", bad[i].line, e.text);
	}
}

static void
lengths_have_their_ceilings(void **state)
{
	static char line[CONTROL_LINE_MAX + 2];
	struct control_request q;
	struct err e;
	int n;

	(void)state;
	n = snprintf(line, sizeof line,
	    "{\"request\":\"cancel\",\"jid\":\"%0*d\"}", JOB_JID_MAX, 0);
	assert_int_equal(control_request_read(line, (size_t)n, &q, &e), 0);
	assert_int_equal(strlen(q.jid), JOB_JID_MAX);
	n = snprintf(line, sizeof line,
	    "{\"request\":\"cancel\",\"jid\":\"%0*d\"}", JOB_JID_MAX + 1, 0);
	assert_int_equal(
	    control_request_read(line, (size_t)n, &q, &e), -EINVAL);
	assert_non_null(strstr(e.text, "longer than"));

	memset(line, ' ', sizeof line);
	memcpy(line, "{\"request\":\"status\"}", 20);
	assert_int_equal(
	    control_request_read(line, CONTROL_LINE_MAX, &q, &e), 0);
	assert_int_equal(
	    control_request_read(line, CONTROL_LINE_MAX + 1, &q, &e), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_is_read),
		cmocka_unit_test(everything_else_is_refused_with_its_reason),
		cmocka_unit_test(lengths_have_their_ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
