/*
 * What a worker says of a job's end is what the server reads, cut to the
 * limits between characters, and nothing in it can break the line.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/job.h"

static void
is(struct buf *b, const char *want)
{
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(buf_front(b), want);
	buf_clear(b);
}

static void
lines_are_written(void **state)
{
	static const char *const lines[] = { "a.rb:1", "b\n\"" };
	struct failure whole = { .errtype = "IOError",
		.message = "bo\r\nom",
		.backtrace = lines,
		.nlines = 2 };
	struct failure dead = { .dead = true };
	struct failure later = { .retry_in = 90 };
	struct failure bare = { 0 };
	struct buf *b = buf_new(500);

	(void)state;
	assert_int_equal(ack_put(b, "wake\"01", 7), 0);
	is(b, "ACK {\"jid\":\"wake\\\"01\"}\r\n");
	assert_int_equal(fail_put(b, "wake0001", 8, &whole), 0);
	is(b,
	    "FAIL {\"jid\":\"wake0001\",\"errtype\":\"IOError\","
	    "\"message\":\"bo\\r\\nom\","
	    "\"backtrace\":[\"a.rb:1\",\"b\\n\\\"\"]}\r\n");
	assert_int_equal(fail_put(b, "wake0001", 8, &bare), 0);
	is(b, "FAIL {\"jid\":\"wake0001\"}\r\n");
	assert_int_equal(fail_put(b, "wake0001", 8, &dead), 0);
	is(b, "FAIL {\"jid\":\"wake0001\",\"retry\":-1}\r\n");
	assert_int_equal(fail_put(b, "wake0001", 8, &later), 0);
	is(b, "FAIL {\"jid\":\"wake0001\",\"retry_in\":90}\r\n");
	/* A stock server splits this line at spaces. */
	assert_int_equal(bury_put(b, "a b\"c\\ d", 8), 0);
	is(b,
	    "MUTATE {\"cmd\":\"kill\",\"target\":\"retries\",\"filter\":{"
	    "\"jids\":[\"a\\u0020b\\\"c\\\\\\u0020d\"]}}\r\n");
	buf_free(b);
}

/* Reads back what fail_put() wrote. */
static struct fail_report
through(const struct failure *f)
{
	struct buf *b = buf_new(1 << 20);
	struct fail_report r;

	assert_int_equal(fail_put(b, "wake0001", 8, f), 0);
	assert_memory_equal(buf_front(b), "FAIL ", 5);
	assert_int_equal(fail_parse(buf_front(b) + 5, buf_len(b) - 7, &r), 0);
	buf_free(b);
	return r;
}

static void
long_text_is_cut_between_characters(void **state)
{
	char text[4000];

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		struct failure f = { .errtype = text, .message = text };

		memset(text, 'a', shift);
		for (size_t i = shift; i < sizeof text - 5; i += 4)
			strcpy(text + i, "😀");
		struct fail_report r = through(&f);
		size_t want = JOB_MESSAGE_MAX - (JOB_MESSAGE_MAX - shift) % 4;
		assert_int_equal(strlen(r.message), want);
		assert_memory_equal(r.message, text, want);
		want = JOB_ERRTYPE_MAX - (JOB_ERRTYPE_MAX - shift) % 4;
		assert_int_equal(strlen(r.errtype), want);
		fail_clear(&r);
	}
}

static void
bad_bytes_count_as_what_stands_for_them(void **state)
{
	char text[4000];
	struct failure f = { .errtype = text, .message = text };

	(void)state;
	memset(text, 0xff, sizeof text - 1);
	text[sizeof text - 1] = '\0';
	struct fail_report r = through(&f);
	assert_int_equal(strlen(r.message), 999);
	assert_int_equal(strlen(r.errtype), 99);
	assert_memory_equal(r.message, "\xef\xbf\xbd\xef\xbf\xbd", 6);
	fail_clear(&r);
}

static void
a_character_cut_by_its_sender_is_no_character(void **state)
{
	struct failure f = { .errtype = "a\xf0\x9f\x98", .message = "\xe2" };
	struct fail_report r = through(&f);

	(void)state;
	assert_string_equal(r.errtype, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(r.message, "\xef\xbf\xbd");
	fail_clear(&r);
}

static void
fifty_lines_are_sent_and_kept(void **state)
{
	const char *lines[80];
	struct failure f = { .backtrace = lines, .nlines = 80 };
	char text[1000] = "{\"backtrace\":[\"0\"";
	struct fail_report r;

	(void)state;
	for (size_t i = 0; i < 80; i++)
		lines[i] = i == 49 ? "last" : "line";
	r = through(&f);
	assert_int_equal(r.nlines, 50);
	assert_string_equal(r.backtrace[49], "last");
	fail_clear(&r);

	for (int i = 1; i < 80; i++)
		sprintf(text + strlen(text), ",\"%d\"", i);
	strcat(text, "]}");
	assert_int_equal(fail_parse(text, strlen(text), &r), 0);
	assert_int_equal(r.nlines, 50);
	assert_string_equal(r.backtrace[49], "49");
	fail_clear(&r);
}

static void
claim_is_read(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *jid, *wid;
	} cases[] = {
		{ "{\"jid\":\"wake\\u00300\"}", 0, "wake00", NULL },
		{ "{\"jid\":\"\"}", 0, "", NULL },
		{ "{\"jid\":\"a\",\"wid\":\"w\"}", 0, "a", "w" },
		{ "{\"wid\":\"\",\"jid\":\"a\"}", 0, "a", NULL },
		{ "{\"wid\":\"w\\u0000\",\"jid\":\"a\"}", -EINVAL, NULL, NULL },
		{ "{}", -EINVAL, NULL, NULL },
		{ "{\"JID\":\"a\",\"other\":\"b\"}", -EINVAL, NULL, NULL },
		{ "{\"jid\":\"a\",\"jid\":\"b\"}", 0, "b", NULL },
		{ "x", -EINVAL, NULL, NULL },
		{ "", -EINVAL, NULL, NULL },
		{ "null", -EINVAL, NULL, NULL },
		{ "[\"jid\"]", -EINVAL, NULL, NULL },
		{ "{\"jid\":1}", -EINVAL, NULL, NULL },
		{ "{\"jid\":null}", -EINVAL, NULL, NULL },
		{ "{\"jid\":\"a\",\"other\":1}", -EINVAL, NULL, NULL },
		{ "{\"jid\":\"a\",\"result\":{\"b\":1}}", 0, "a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct claim c;

		assert_int_equal(
		    claim_parse(cases[i].text, strlen(cases[i].text), &c),
		    cases[i].want);
		if (cases[i].jid == NULL)
			continue;
		assert_string_equal(c.jid, cases[i].jid);
		assert_int_equal(c.jid_len, strlen(cases[i].jid));
		if (cases[i].wid == NULL)
			assert_null(c.wid);
		else
			assert_string_equal(c.wid, cases[i].wid);
		assert_int_equal(c.result.kind,
		    strstr(cases[i].text, "result") != NULL ? JSON_OBJECT
							    : JSON_NONE);
		claim_clear(&c);
	}
}

/* docs/protocol.md, "fail-retry": what a FAIL may ask for. */
static void
a_fail_says_how_the_job_ends(void **state)
{
	static const struct {
		const char *text;
		enum fail_end end;
		bool timed;
		int64_t retry_in;
	} cases[] = {
		{ "{}", FAIL_AS_JOB, false, 0 },
		{ "{\"retry\":null,\"retry_in\":null}", FAIL_AS_JOB, false, 0 },
		{ "{\"retry\":-1}", FAIL_DEAD, false, 0 },
		{ "{\"retry\":0}", FAIL_FORGET, false, 0 },
		{ "{\"retry\":5,\"retry_in\":90}", FAIL_AS_JOB, true, 90 },
		{ "{\"retry_in\":0}", FAIL_AS_JOB, true, 0 },
		{ "{\"retry_in\":9223372036854775807}", FAIL_AS_JOB, true,
		    FAIL_RETRY_IN_MAX },
	};
	static const char *const wrong[] = { "{\"retry\":\"0\"}",
		"{\"retry\":1.5}", "{\"retry_in\":-1}", "{\"retry_in\":true}",
		"{\"wid\":1}" };
	struct fail_report r;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(
		    fail_parse(cases[i].text, strlen(cases[i].text), &r), 0);
		assert_int_equal(r.end, cases[i].end);
		assert_int_equal(r.timed, cases[i].timed);
		assert_int_equal(r.retry_in, cases[i].retry_in);
		assert_null(r.wid);
		fail_clear(&r);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(
		    fail_parse(wrong[i], strlen(wrong[i]), &r), -EINVAL);
	r = through(&(struct failure){ .dead = true, .retry_in = 7 });
	assert_int_equal(r.end, FAIL_DEAD);
	assert_int_equal(r.retry_in, 7);
	fail_clear(&r);
}

static void
fail_is_read(void **state)
{
	static const struct {
		const char *text, *jid, *errtype, *message;
		size_t nlines;
	} cases[] = {
		{ "{\"jid\":\"a\",\"errtype\":\" IOError\\n\","
		  "\"message\":\"\\t bo om \",\"backtrace\":[\"1\",\"\"]}",
		    "a", "IOError", "bo om", 2 },
		{ "{}", "", "unknown", "unknown", 0 },
		{ "{\"Jid\":\"a\",\"ERRTYPE\":\" \",\"message\":null,"
		  "\"backtrace\":null,\"other\":[1]}",
		    "a", "unknown", "unknown", 0 },
		{ "{\"jid\":\"a\",\"message\":\"b\\u0000c\","
		  "\"backtrace\":[]}",
		    "a", "unknown", "b c", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fail_report r;

		assert_int_equal(
		    fail_parse(cases[i].text, strlen(cases[i].text), &r), 0);
		assert_string_equal(r.jid, cases[i].jid);
		assert_int_equal(r.jid_len, strlen(cases[i].jid));
		assert_string_equal(r.errtype, cases[i].errtype);
		assert_string_equal(r.message, cases[i].message);
		assert_int_equal(r.nlines, cases[i].nlines);
		fail_clear(&r);
	}
}

static void
wrong_fails_are_refused(void **state)
{
	static const char *const texts[] = { "", "x", "[]", "null",
		"{\"jid\":1}", "{\"errtype\":1}", "{\"message\":{}}",
		"{\"backtrace\":\"x\"}", "{\"backtrace\":[\"a\",1]}",
		"{\"jid\":\"a\"} x" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct fail_report r;

		assert_int_equal(
		    fail_parse(texts[i], strlen(texts[i]), &r), -EINVAL);
	}
}

static void
the_failure_that_is_kept_has_every_member(void **state)
{
	char *lines[] = { (char[]){ "a.rb:1" } };
	struct failure_record f = {
		.failed_at = "2026-11-23T21:56:35Z",
		.next_at = "2026-11-23T21:57:00Z",
		.retry_count = 0,
		.remaining = 25,
		.errtype = "IOError",
		.message = "boom",
		.backtrace = lines,
		.nlines = 1,
	};
	struct buf *b = buf_new(500);

	(void)state;
	assert_int_equal(failure_put(b, &f), 0);
	is(b,
	    "{\"failed_at\":\"2026-11-23T21:56:35Z\","
	    "\"next_at\":\"2026-11-23T21:57:00Z\",\"message\":\"boom\","
	    "\"errtype\":\"IOError\",\"backtrace\":[\"a.rb:1\"],"
	    "\"retry_count\":0,\"remaining\":25}");
	f.next_at = NULL;
	f.nlines = 0;
	f.remaining = -1;
	assert_int_equal(failure_put(b, &f), 0);
	is(b,
	    "{\"failed_at\":\"2026-11-23T21:56:35Z\",\"message\":\"boom\","
	    "\"errtype\":\"IOError\",\"retry_count\":0,\"remaining\":-1}");
	buf_free(b);
}

static void
a_full_buffer_is_left_as_it_was(void **state)
{
	struct failure f = { .errtype = "E", .message = "m" };
	struct failure_record kept = {
		.failed_at = "f", .errtype = "E", .message = "m"
	};

	(void)state;
	for (size_t max = 1; max < 20; max++) {
		struct buf *b = buf_new(max);

		buf_putc(b, 'x');
		assert_int_equal(ack_put(b, "wake0001", 8), -ENOBUFS);
		assert_int_equal(fail_put(b, "wake0001", 8, &f), -ENOBUFS);
		assert_int_equal(failure_put(b, &kept), -ENOBUFS);
		assert_int_equal(buf_len(b), 1);
		buf_free(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_written),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(bad_bytes_count_as_what_stands_for_them),
		cmocka_unit_test(a_character_cut_by_its_sender_is_no_character),
		cmocka_unit_test(fifty_lines_are_sent_and_kept),
		cmocka_unit_test(claim_is_read),
		cmocka_unit_test(a_fail_says_how_the_job_ends),
		cmocka_unit_test(fail_is_read),
		cmocka_unit_test(wrong_fails_are_refused),
		cmocka_unit_test(the_failure_that_is_kept_has_every_member),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
