/*
 * A job says everything itself before it leaves, and a line of
 * JSON keeps every byte that it came with.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/draft.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* 1970-01-01T00:00:01Z */
#define NOW INT64_C(1000000000)

static const struct draft plain = {
	.jid = "jid00001",
	.jobtype = "resize",
	.queue = "default",
	.retry = 25,
	.now = NOW,
};

static void
assert_text(struct buf *b, const char *want)
{
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(buf_front(b), want);
	buf_free(b);
}

static void
a_job_from_words_leaves_nothing_to_the_server(void **state)
{
	struct buf *b = buf_new(10000);
	struct err e;

	(void)state;
	assert_int_equal(draft_put(b, &plain, &e), 0);
	assert_text(b,
	    "{\"jid\":\"jid00001\",\"jobtype\":\"resize\","
	    "\"queue\":\"default\",\"retry\":25,"
	    "\"created_at\":\"1970-01-01T00:00:01Z\",\"args\":[]}");
}

static void
every_flag_has_its_member(void **state)
{
	char word[] = "a", pair[] = "k=1";
	char *words[] = { word }, *pairs[] = { pair };
	struct draft d = plain;
	struct buf *b = buf_new(10000);
	struct err e;

	(void)state;
	d.words = words;
	d.nwords = 1;
	d.custom = pairs;
	d.ncustom = 1;
	d.reserve_for = 600;
	d.has_at = true;
	d.at = 2 * NOW;
	d.retry = -1;
	assert_int_equal(draft_put(b, &d, &e), 0);
	assert_text(b,
	    "{\"jid\":\"jid00001\",\"jobtype\":\"resize\","
	    "\"queue\":\"default\",\"retry\":-1,"
	    "\"created_at\":\"1970-01-01T00:00:01Z\","
	    "\"at\":\"1970-01-01T00:00:02Z\",\"reserve_for\":600,"
	    "\"args\":[\"a\"],\"custom\":{\"k\":1}}");
}

static void
a_job_is_checked_before_it_is_sent(void **state)
{
	struct draft d = plain;
	struct buf *b = buf_new(10000);
	struct err e;

	(void)state;
	d.jid = "short";
	assert_int_equal(draft_put(b, &d, &e), -EINVAL);
	assert_string_equal(
	    e.text, "jobs must have a reasonable jid parameter");
	buf_free(b);
}

static void
fresh_jids_are_24_digits_and_differ(void **state)
{
	char one[DRAFT_JID_HEX + 1], two[DRAFT_JID_HEX + 1];

	(void)state;
	assert_int_equal(draft_jid(one), 0);
	assert_int_equal(draft_jid(two), 0);
	assert_int_equal(strlen(one), 24);
	assert_int_equal(strspn(one, "0123456789abcdef"), 24);
	assert_string_not_equal(one, two);
}

static void
a_line_keeps_its_bytes_and_gets_what_it_lacks(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ " {\"jid\": \"jid00001\" , \"jobtype\":\"a\",\"args\":"
		  "[9007199254740993, 1.0]} ",
		    "{\"jid\": \"jid00001\" , \"jobtype\":\"a\",\"args\":"
		    "[9007199254740993, 1.0],\"queue\":\"default\","
		    "\"retry\":25,\"created_at\":\"1970-01-01T00:00:01Z\"}" },
		{ "{\"jid\":\"jid00001\",\"jobtype\":\"a\",\"args\":[],"
		  "\"queue\":\"q\",\"retry\":0,\"created_at\":\"x\"}",
		    "{\"jid\":\"jid00001\",\"jobtype\":\"a\",\"args\":[],"
		    "\"queue\":\"q\",\"retry\":0,\"created_at\":\"x\"}" },
		{ "{\"JID\":\"jid00001\",\"jobtype\":\"a\",\"args\":[],"
		  "\"Queue\":\"q\",\"reTry\":null,\"created_at\":\"x\"}",
		    "{\"JID\":\"jid00001\",\"jobtype\":\"a\",\"args\":[],"
		    "\"Queue\":\"q\",\"reTry\":null,\"created_at\":\"x\","
		    "\"retry\":25}" },
		{ "{\"jid\":\"jid00001\",\"args\":[],\"queue\":\"q\","
		  "\"retry\":1,\"created_at\":\"x\"}",
		    "{\"jid\":\"jid00001\",\"args\":[],\"queue\":\"q\","
		    "\"retry\":1,\"created_at\":\"x\","
		    "\"jobtype\":\"resize\"}" },
		{ "{\"jid\":\"jid00001\",\"jobtype\":\"a\","
		  "\"args\":[{\"queue\":\"inner\"}],\"retry\":1,"
		  "\"created_at\":\"x\"}",
		    "{\"jid\":\"jid00001\",\"jobtype\":\"a\","
		    "\"args\":[{\"queue\":\"inner\"}],\"retry\":1,"
		    "\"created_at\":\"x\",\"queue\":\"default\"}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf *b = buf_new(10000);
		char *jid = NULL;
		struct err e;

		assert_int_equal(draft_complete(b, cases[i].line,
				     strlen(cases[i].line), &plain, &jid, &e),
		    0);
		assert_string_equal(jid, "jid00001");
		assert_text(b, cases[i].want);
		free(jid);
	}
}

static void
a_line_without_a_jid_gets_one(void **state)
{
	static const char line[] = "{\"jobtype\":\"a\",\"args\":[]}";
	struct draft d = plain;
	struct buf *b = buf_new(10000);
	char *jid = NULL;
	struct err e;

	(void)state;
	d.reserve_for = 60;
	assert_int_equal(
	    draft_complete(b, line, sizeof line - 1, &d, &jid, &e), 0);
	assert_int_equal(strlen(jid), DRAFT_JID_HEX);
	char want[300] = "{\"jobtype\":\"a\",\"args\":[],\"jid\":\"";
	strcat(want, jid);
	strcat(want,
	    "\",\"queue\":\"default\",\"retry\":25,\"reserve_for\":60,"
	    "\"created_at\":\"1970-01-01T00:00:01Z\"}");
	assert_text(b, want);
	free(jid);
}

static void
a_line_that_is_no_job_is_refused_and_leaves_no_trace(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "[]", "not a JSON object" },
		{ "{}", "jobs must have a jobtype parameter" },
		{ "{\"jobtype\":\"a\"}", "jobs must have an args parameter" },
		{ "{\"jobtype\":\"a\",\r\"args\":[]}",
		    "a carriage return between values" },
		{ "{\"jobtype\":\"a\",\"args\":[],\"jid\":\"x\"}",
		    "jobs must have a reasonable jid parameter" },
	};
	struct draft d = plain;

	(void)state;
	d.jobtype = NULL;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf *b = buf_new(10000);
		char *jid = NULL;
		struct err e;

		assert_int_equal(buf_puts(b, "["), 0);
		assert_int_equal(draft_complete(b, cases[i].line,
				     strlen(cases[i].line), &d, &jid, &e),
		    -EINVAL);
		assert_string_equal(e.text, cases[i].want);
		assert_null(jid);
		assert_text(b, "[");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_from_words_leaves_nothing_to_the_server),
		cmocka_unit_test(every_flag_has_its_member),
		cmocka_unit_test(a_job_is_checked_before_it_is_sent),
		cmocka_unit_test(fresh_jids_are_24_digits_and_differ),
		cmocka_unit_test(a_line_keeps_its_bytes_and_gets_what_it_lacks),
		cmocka_unit_test(a_line_without_a_jid_gets_one),
		cmocka_unit_test(
		    a_line_that_is_no_job_is_refused_and_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
