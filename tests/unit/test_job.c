/*
 * A job's fields are what its sender meant, a bad one is refused in the words
 * that clients know, and its bytes reach the worker as they were pushed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795470995867837850)

static struct job
parsed(const char *text)
{
	struct job j;
	struct err e;

	if (job_parse(text, strlen(text), &j, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return j;
}

static void
text_is(struct job_text t, const char *want)
{
	if (want == NULL) {
		assert_null(t.bytes);
		return;
	}
	assert_int_equal(t.len, strlen(want));
	assert_memory_equal(t.bytes, want, t.len);
}

static void
fields_are_read(void **state)
{
	struct job j = parsed(
	    "{\"jid\":\"0123456789\",\"jobtype\":\"resize\",\"queue\":\"q\","
	    "\"args\":[1, {}],\"custom\":{\"a\":1},\"retry\":-1,"
	    "\"reserve_for\":600,\"backtrace\":7,"
	    "\"at\":\"2026-11-23T21:56:35.86783785Z\","
	    "\"created_at\":\"yesterday\",\"enqueued_at\":\"today\","
	    "\"failure\":{\"retry_count\":2,\"remaining\":22,"
	    "\"failed_at\":\"then\",\"message\":\"boom\"},\"new\":[]}");

	(void)state;
	text_is(j.jid, "0123456789");
	text_is(j.jobtype, "resize");
	text_is(j.queue, "q");
	text_is(j.created_at, "yesterday");
	text_is(j.enqueued_at, "today");
	assert_int_equal(j.args.len, 7);
	assert_int_equal(j.custom.len, 7);
	assert_true(j.retry == -1 && j.reserve_for == 600);
	assert_true(j.backtrace == 7);
	assert_true(j.has_at && j.at == NOW);
	assert_true(j.failure.present);
	assert_true(j.failure.retry_count == 2 && j.failure.remaining == 22);
	text_is(j.failure.failed_at, "then");
	assert_int_equal(j.failure.object.kind, JSON_OBJECT);
	assert_null(j.scratch);
	assert_int_equal(job_check(&j, NULL), 0);
	job_clear(&j);
}

static void
what_is_absent_has_its_default(void **state)
{
	static const char *const texts[] = {
		"{\"jid\":\"12345678\",\"jobtype\":\"t\",\"args\":[]}",
		"{\"jid\":\"12345678\",\"jobtype\":\"t\",\"args\":[],"
		"\"queue\":null,\"retry\":null,\"custom\":null,\"at\":null,"
		"\"reserve_for\":null,\"backtrace\":null,\"failure\":null,"
		"\"created_at\":null,\"enqueued_at\":null}",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct job j = parsed(texts[i]);

		text_is(j.queue, "default");
		text_is(j.created_at, NULL);
		text_is(j.enqueued_at, NULL);
		assert_int_equal(j.custom.kind, JSON_NONE);
		assert_true(j.retry == 25 && j.reserve_for == 0);
		assert_true(j.backtrace == 0);
		assert_false(j.has_at);
		assert_false(j.failure.present);
		assert_int_equal(job_check(&j, NULL), 0);
		job_clear(&j);
	}
	struct job j = parsed("{\"jid\":\"12345678\",\"jobtype\":\"t\","
			      "\"args\":[],\"queue\":\"\",\"at\":\"\"}");
	text_is(j.queue, "default");
	assert_false(j.has_at);
	assert_int_equal(job_check(&j, NULL), 0);
	job_clear(&j);
}

static void
names_match_without_case_and_the_last_counts(void **state)
{
	struct job j =
	    parsed("{\"jid\":\"first\",\"JID\":\"second00\",\"JobType\":\"t\","
		   "\"\\u0061rgs\":[1],\"retry\":3,\"RETRY\":null,"
		   "\"jid_\":\"no\"}");

	(void)state;
	text_is(j.jid, "second00");
	text_is(j.jobtype, "t");
	assert_int_equal(j.args.len, 3);
	assert_true(j.retry == 25);
	job_clear(&j);
}

static void
escapes_are_decoded(void **state)
{
	struct job j =
	    parsed("{\"jid\":\"\\u0061bcdefg\\n\",\"jobtype\":\"plain\","
		   "\"queue\":\"q\\u002e1\",\"args\":[],"
		   "\"at\":\"2026\\u002d11-23T21:56:35.86783785Z\"}");

	(void)state;
	text_is(j.jid, "abcdefg\n");
	text_is(j.jobtype, "plain");
	text_is(j.queue, "q.1");
	assert_true(j.has_at && j.at == NOW);
	assert_non_null(j.scratch);
	assert_int_equal(job_check(&j, NULL), 0);
	job_clear(&j);
	assert_null(j.scratch);
	job_clear(&j);
}

static void
wrong_json_is_refused_when_read(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "invalid JSON: unexpected end at byte 0" },
		{ "{", "invalid JSON: unexpected end at byte 1" },
		{ "{\"jid\":\"a\"} trailing",
		    "invalid JSON: text after the end at byte 12" },
		{ "{\"jid\":\"abcdef\"]",
		    "invalid JSON: expected ',' or '}' at byte 15" },
		{ "[]", "invalid JSON: a job must be an object" },
		{ "null", "invalid JSON: a job must be an object" },
		{ "{\"jid\":1}", "invalid JSON: jid must be a string" },
		{ "{\"jobtype\":[]}",
		    "invalid JSON: jobtype must be a string" },
		{ "{\"queue\":1}", "invalid JSON: queue must be a string" },
		{ "{\"args\":{}}", "invalid JSON: args must be an array" },
		{ "{\"custom\":[]}", "invalid JSON: custom must be an object" },
		{ "{\"at\":1}", "invalid JSON: at must be a string" },
		{ "{\"created_at\":1}",
		    "invalid JSON: created_at must be a string" },
		{ "{\"retry\":\"1\"}",
		    "invalid JSON: retry must be an integer" },
		{ "{\"retry\":99999999999999999999}",
		    "invalid JSON: retry must be an integer" },
		{ "{\"reserve_for\":60.0}",
		    "invalid JSON: reserve_for must be an integer" },
		{ "{\"reserve_for\":\"60\"}",
		    "invalid JSON: reserve_for must be an integer" },
		{ "{\"backtrace\":true}",
		    "invalid JSON: backtrace must be an integer" },
		{ "{\"failure\":[]}",
		    "invalid JSON: failure must be an object" },
		{ "{\"failure\":{\"retry_count\":\"1\"}}",
		    "invalid JSON: failure.retry_count must be an integer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job j;
		struct err e;

		assert_int_equal(
		    job_parse(cases[i].text, strlen(cases[i].text), &j, &e),
		    -EINVAL);
		assert_string_equal(e.text, cases[i].want);
	}
}

/* Each case is also wrong in what is checked later. */
static void
checks_have_faktorys_order_and_words(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "{}", "jobs must have a reasonable jid parameter" },
		{ "{\"jid\":\"1234567\"}",
		    "jobs must have a reasonable jid parameter" },
		{ "{\"jid\":\"1234\\u00005678\"}",
		    "jobs must have a reasonable jid parameter" },
		{ "{\"jid\":\"12345678\"}",
		    "jobs must have a jobtype parameter" },
		{ "{\"jid\":\"12345678\",\"jobtype\":\"a\\u0000b\"}",
		    "jobs must have a jobtype parameter without NUL" },
		{ "{\"jid\":\"12345678\",\"jobtype\":\"\"}",
		    "jobs must have a jobtype parameter" },
		{ "{\"jid\":\"12345678\",\"jobtype\":\"t\","
		  "\"reserve_for\":86401}",
		    "jobs must have an args parameter" },
		{ "{\"jid\":\"12345678\",\"jobtype\":\"t\",\"args\":[],"
		  "\"reserve_for\":86401,\"at\":\"tomorrow\"}",
		    "jobs cannot be reserved for more than one day" },
		{ "{\"jid\":\"12345678\",\"jobtype\":\"t\",\"args\":[],"
		  "\"reserve_for\":86400,\"at\":\"tomorrow\","
		  "\"queue\":\"a b\"}",
		    "invalid timestamp for 'at': \"tomorrow\": expected a "
		    "moment like 2026-11-23T21:56:35Z, of the years 1678 to "
		    "2261" },
		{ "{\"jid\":\"12345678\",\"jobtype\":\"t\",\"args\":[],"
		  "\"queue\":\"a b\"}",
		    "cannot get \"a b\" queue: queue names must match "
		    "\\A[a-zA-Z0-9._-]+\\z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job j = parsed(cases[i].text);
		struct err e;

		assert_int_equal(job_check(&j, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].want);
		job_clear(&j);
	}
}

static void
names_have_our_limits(void **state)
{
	char text[4000];
	struct err e;
	struct job j;

	(void)state;
	snprintf(text, sizeof text,
	    "{\"jid\":\"%01024d\",\"jobtype\":\"%01024d\","
	    "\"queue\":\"%01024d\",\"args\":[]}",
	    0, 0, 0);
	j = parsed(text);
	assert_int_equal(job_check(&j, &e), 0);
	snprintf(text, sizeof text,
	    "{\"jid\":\"%01025d\",\"jobtype\":\"t\",\"args\":[]}", 0);
	j = parsed(text);
	assert_int_equal(job_check(&j, &e), -EINVAL);
	assert_string_equal(
	    e.text, "jobs must have a reasonable jid parameter");
	snprintf(text, sizeof text,
	    "{\"jid\":\"12345678\",\"jobtype\":\"%01025d\",\"args\":[]}", 0);
	j = parsed(text);
	assert_int_equal(job_check(&j, &e), -EINVAL);
	assert_string_equal(
	    e.text, "jobs must have a jobtype parameter of at most 1024 bytes");
	snprintf(text, sizeof text,
	    "{\"jid\":\"12345678\",\"jobtype\":\"t\",\"args\":[],"
	    "\"queue\":\"%01025d\"}",
	    0);
	j = parsed(text);
	assert_int_equal(job_check(&j, &e), -EINVAL);
	assert_non_null(
	    strstr(e.text, "000\" queue: queue names have at most 1024 bytes"));
}

static void
queue_names_are_of_few_letters(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool want;
	} cases[] = {
		{ "default", 7, true },
		{ "aZ0._-", 6, true },
		{ "", 0, false },
		{ "*", 1, false },
		{ "a b", 3, false },
		{ "a\0b", 3, false },
		{ "a\n", 2, false },
		{ "é", 2, false },
		{ "a/b", 3, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(job_queue_name_ok(cases[i].name, cases[i].len),
		    cases[i].want);
}

static void
reservations_are_clamped(void **state)
{
	static const int64_t cases[][2] = { { 0, 1800 }, { -5, 60 }, { 1, 60 },
		{ 59, 60 }, { 60, 60 }, { 61, 61 }, { 86400, 86400 },
		{ INT64_MAX, 86400 }, { INT64_MIN, 60 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct job j = { .reserve_for = cases[i][0] };

		assert_true(job_reservation(&j) == cases[i][1]);
	}
}

static void
stored_is(const char *text, const char *want)
{
	struct buf *b = buf_new(1000);
	struct job j = parsed(text);

	assert_int_equal(job_put_stored(b, &j, NOW), 0);
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(buf_front(b), want);
	job_clear(&j);
	buf_free(b);
}

static void
what_is_stored_keeps_the_tokens(void **state)
{
	(void)state;
	stored_is(
	    "{\"jid\":\"12345678\",\"jobtype\":\"t\",\"queue\":\"q\","
	    "\"args\":[9007199254740993,1.0,1e400,\"<\\u00e9>\", 1],"
	    "\"retry\":3,\"created_at\":\"c\",\"more\":{\"b\":1,\"a\":2}}",
	    "{\"jid\":\"12345678\",\"jobtype\":\"t\",\"queue\":\"q\","
	    "\"args\":[9007199254740993,1.0,1e400,\"<\\u00e9>\", 1],"
	    "\"retry\":3,\"created_at\":\"c\",\"more\":{\"b\":1,\"a\":2}}");
}

static void
what_the_server_owns_is_not_stored(void **state)
{
	(void)state;
	stored_is("{\"failure\":{\"retry_count\":1},\"jid\":\"12345678\","
		  "\"Enqueued_At\":\"x\",\"queue\":\"q\",\"retry\":0,"
		  "\"created_at\":\"c\"}",
	    "{\"jid\":\"12345678\",\"queue\":\"q\",\"retry\":0,"
	    "\"created_at\":\"c\"}");
}

static void
what_is_missing_is_added(void **state)
{
	static const char want[] =
	    "{\"jid\":\"12345678\",\"queue\":\"default\",\"retry\":25,"
	    "\"created_at\":\"2026-11-23T21:56:35.86783785Z\"}";

	(void)state;
	stored_is("{\"jid\":\"12345678\"}", want);
	stored_is(" { \"jid\" : \"12345678\" } ", want);
	stored_is("{\"queue\":null,\"jid\":\"12345678\",\"retry\":null,"
		  "\"created_at\":null,\"at\":null}",
	    want);
	stored_is("{\"queue\":\"\",\"jid\":\"12345678\","
		  "\"created_at\":\"\"}",
	    want);
	stored_is("{}",
	    "{\"queue\":\"default\",\"retry\":25,"
	    "\"created_at\":\"2026-11-23T21:56:35.86783785Z\"}");
}

static void
known_names_are_stored_once_in_lower_case(void **state)
{
	(void)state;
	stored_is("{\"jid\":\"a\",\"JID\":\"12345678\",\"Queue\":\"q\","
		  "\"r\\u0065try\":1,\"created_at\":\"c\",\"X\":1,\"X\":2}",
	    "{\"jid\":\"12345678\",\"queue\":\"q\",\"retry\":1,"
	    "\"created_at\":\"c\",\"X\":1,\"X\":2}");
}

static void
a_delivery_adds_what_the_server_knows(void **state)
{
	static const char stored[] = "{\"jid\":\"12345678\",\"args\":[1.0]}";
	static const char failure[] = "{\"retry_count\":0}";
	struct buf *b = buf_new(200);

	(void)state;
	assert_int_equal(
	    job_put_delivery(b, stored, strlen(stored), NOW, "", 0), 0);
	buf_putc(b, '\0');
	assert_string_equal(buf_front(b),
	    "{\"jid\":\"12345678\",\"args\":[1.0],"
	    "\"enqueued_at\":\"2026-11-23T21:56:35.86783785Z\"}");
	buf_clear(b);
	assert_int_equal(job_put_delivery(b, stored, strlen(stored), 0, failure,
			     strlen(failure)),
	    0);
	buf_putc(b, '\0');
	assert_string_equal(buf_front(b),
	    "{\"jid\":\"12345678\",\"args\":[1.0],"
	    "\"enqueued_at\":\"1970-01-01T00:00:00Z\","
	    "\"failure\":{\"retry_count\":0}}");
	buf_free(b);
}

static void
a_full_buffer_is_left_as_it_was(void **state)
{
	static const char text[] = "{\"jid\":\"12345678\",\"other\":1}";
	struct job j = parsed(text);

	(void)state;
	for (size_t max = 1; max < 60; max++) {
		struct buf *b = buf_new(max);

		buf_putc(b, 'x');
		assert_int_equal(job_put_stored(b, &j, NOW), -ENOBUFS);
		assert_int_equal(buf_len(b), 1);
		assert_int_equal(
		    job_put_delivery(b, text, strlen(text), NOW, "{}", 2),
		    -ENOBUFS);
		assert_int_equal(buf_len(b), 1);
		buf_free(b);
	}
	job_clear(&j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read),
		cmocka_unit_test(what_is_absent_has_its_default),
		cmocka_unit_test(names_match_without_case_and_the_last_counts),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(wrong_json_is_refused_when_read),
		cmocka_unit_test(checks_have_faktorys_order_and_words),
		cmocka_unit_test(names_have_our_limits),
		cmocka_unit_test(queue_names_are_of_few_letters),
		cmocka_unit_test(reservations_are_clamped),
		cmocka_unit_test(what_is_stored_keeps_the_tokens),
		cmocka_unit_test(what_the_server_owns_is_not_stored),
		cmocka_unit_test(what_is_missing_is_added),
		cmocka_unit_test(known_names_are_stored_once_in_lower_case),
		cmocka_unit_test(a_delivery_adds_what_the_server_knows),
		cmocka_unit_test(a_full_buffer_is_left_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
