/*
 * A copy has the job's values as they came, a time of its own, and the
 * failure that the server would have written.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/again.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

/* 2026-11-25T12:00:00Z */
#define NOW (INT64_C(1795608000) * CLOCK_NS_PER_S)

static void
expect(const char *text, const struct failure *f, const char *copy)
{
	struct buf *b = buf_new(1 << 20);
	struct job j;
	struct err e;

	assert_int_equal(job_parse(text, strlen(text), &j, &e), 0);
	assert_int_equal(again_put(b, &j, f, NOW), 0);
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(buf_front(b), copy);
	job_clear(&j);
	buf_free(b);
}

static void
the_first_failure_begins_to_count(void **state)
{
	static const char *const trace[] = { "one", "two" };
	const struct failure f = { .errtype = "E",
		.message = "no \"row\"",
		.backtrace = trace,
		.nlines = 2,
		.retry_in = 90 };

	(void)state;
	expect("{\"JID\":\"job-0001\",\"jobtype\":\"t\",\"args\":[1.0,"
	       "9007199254740993], \"own\" : {\"at\":1},\"retry\":5,"
	       "\"enqueued_at\":\"2026-11-25T11:00:00Z\","
	       "\"at\":\"2026-11-25T10:00:00Z\"}",
	    &f,
	    "{\"jid\":\"job-0001\",\"jobtype\":\"t\",\"args\":[1.0,"
	    "9007199254740993],\"own\":{\"at\":1},\"retry\":5,"
	    "\"at\":\"2026-11-25T12:01:30Z\",\"failure\":{"
	    "\"failed_at\":\"2026-11-25T12:00:00Z\","
	    "\"next_at\":\"2026-11-25T12:01:30Z\","
	    "\"message\":\"no \\\"row\\\"\",\"errtype\":\"E\","
	    "\"backtrace\":[\"one\",\"two\"],\"retry_count\":0,"
	    "\"remaining\":5}}");
}

static void
a_later_one_goes_on_counting(void **state)
{
	const struct failure f = {
		.errtype = "E", .message = "m", .retry_in = 1
	};

	(void)state;
	expect("{\"jid\":\"job-0001\",\"failure\":{\"retry_count\":3,"
	       "\"remaining\":2,\"failed_at\":\"2026-11-24T12:00:00Z\","
	       "\"errtype\":\"Old\"},\"retry\":5}",
	    &f,
	    "{\"jid\":\"job-0001\",\"retry\":5,"
	    "\"at\":\"2026-11-25T12:00:01Z\",\"failure\":{"
	    "\"failed_at\":\"2026-11-24T12:00:00Z\","
	    "\"next_at\":\"2026-11-25T12:00:01Z\",\"message\":\"m\","
	    "\"errtype\":\"E\",\"retry_count\":4,\"remaining\":1}}");
}

/* Cut as FAIL cuts it, and never within a character. */
static void
long_words_are_cut(void **state)
{
	static char message[JOB_MESSAGE_MAX + 3];
	const struct failure f = {
		.errtype = "E", .message = message, .retry_in = 1
	};
	struct buf *b = buf_new(1 << 20);
	struct job j;
	struct err e;

	(void)state;
	memset(message, 'a', JOB_MESSAGE_MAX - 1);
	strcpy(message + JOB_MESSAGE_MAX - 1, "\xc3\xa9");
	assert_int_equal(job_parse("{}", 2, &j, &e), 0);
	assert_int_equal(again_put(b, &j, &f, NOW), 0);
	assert_non_null(memmem(buf_front(b), buf_len(b), "aa\",\"errtype", 12));
	job_clear(&j);
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failure_begins_to_count),
		cmocka_unit_test(a_later_one_goes_on_counting),
		cmocka_unit_test(long_words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
