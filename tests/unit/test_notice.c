/*
 * The commands of a notice come off one by one, as they were put.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/extension.h"

/* Puts n, and takes off what it must begin with; returns what is left. */
static const char *
take_off(const char *lines, enum notice_verb verb, const char *command)
{
	size_t len = strlen(lines);
	size_t first = notice_first(lines, len);

	assert_int_equal(notice_verb(lines, len), verb);
	assert_int_equal(first, strlen(command) + 2);
	assert_memory_equal(lines, command, first - 2);
	assert_memory_equal(lines + first - 2, "\r\n", 2);
	return lines + first;
}

static const char *
put(struct buf *b, const struct notice *n)
{
	buf_clear(b);
	assert_int_equal(notice_put(b, n), 0);
	assert_int_equal(buf_putc(b, '\0'), 0);
	return buf_front(b);
}

static void
follow_up_jobs_go_before_the_ack(void **state)
{
	static const char jobs[] = "{\"jid\":\"a\\n\"},{\"jid\":\"b\"}";
	const struct notice n = { .jid = "job-0001",
		.jid_len = 8,
		.pushes = jobs,
		.pushes_len = sizeof jobs - 1 };
	struct buf *b = buf_new(1000);

	(void)state;
	const char *rest = take_off(put(b, &n), NOTICE_PUSHB,
	    "PUSHB [{\"jid\":\"a\\n\"},{\"jid\":\"b\"}]");
	rest = take_off(rest, NOTICE_ACK, "ACK {\"jid\":\"job-0001\"}");
	assert_string_equal(rest, "");
	buf_free(b);
}

static void
a_failure_pushes_nothing_and_may_be_buried(void **state)
{
	const struct failure f = { .errtype = "E", .dead = true };
	const struct notice n = { .jid = "job-0001",
		.jid_len = 8,
		.failure = &f,
		.bury = true,
		.pushes = "{}",
		.pushes_len = 2 };
	struct buf *b = buf_new(1000);

	(void)state;
	const char *rest = take_off(put(b, &n), NOTICE_FAIL,
	    "FAIL {\"jid\":\"job-0001\",\"errtype\":\"E\",\"retry\":-1}");
	rest = take_off(rest, NOTICE_BURIAL,
	    "MUTATE {\"cmd\":\"kill\",\"target\":\"retries\",\"filter\":"
	    "{\"jids\":[\"job-0001\"]}}");
	assert_string_equal(rest, "");
	buf_free(b);
}

/* For a server without the extension nothing but the member is missing. */
static void
a_result_is_the_last_member_and_can_be_left_out(void **state)
{
	const struct failure f = { .message = ",\"result\":1}" };
	struct notice n = {
		.jid = "job-0001", .jid_len = 8, .result = "{\"result\":[1.0]}"
	};
	struct buf *b = buf_new(1000), *plain = buf_new(1000);

	(void)state;
	(void)take_off(put(b, &n), NOTICE_ACK,
	    "ACK {\"jid\":\"job-0001\",\"result\":{\"result\":[1.0]}}");
	assert_int_equal(notice_put_plain(plain, buf_front(b), buf_len(b)), 0);
	assert_int_equal(buf_putc(plain, '\0'), 0);
	assert_string_equal(buf_front(plain), "ACK {\"jid\":\"job-0001\"}\r\n");

	n.failure = &f;
	(void)put(b, &n);
	buf_clear(plain);
	assert_int_equal(notice_put_plain(plain, buf_front(b), buf_len(b)), 0);
	assert_int_equal(buf_putc(plain, '\0'), 0);
	n.result = NULL;
	assert_string_equal(buf_front(plain), put(b, &n));
	buf_clear(plain);
	assert_int_equal(notice_put_plain(plain, buf_front(b), buf_len(b)), 0);
	assert_int_equal(buf_putc(plain, '\0'), 0);
	assert_string_equal(buf_front(plain), buf_front(b));
	buf_free(b);
	buf_free(plain);
}

static void
a_job_given_back_has_its_fallback_behind(void **state)
{
	static const char job[] = "{\"args\": [1.0,\r\n9007199254740993]}";
	const struct failure f = { .errtype = "E" };
	struct notice n = {
		.jid = "job-0001", .jid_len = 8, .release = true, .failure = &f
	};
	struct buf *b = buf_new(1000);

	(void)state;
	const char *lines = put(b, &n);
	size_t len = strlen(lines);
	assert_int_equal(notice_skip(lines, len, EXTENSION_RELEASE), 0);
	assert_int_equal(notice_over(lines, len, EXTENSION_RELEASE), len);
	size_t skipped = notice_skip(lines, len, EXTENSION_FAIL_RETRY);
	const char *rest =
	    take_off(lines, NOTICE_RELEASE, "RELEASE {\"jid\":\"job-0001\"}");
	assert_ptr_equal(rest, lines + skipped);
	rest = take_off(
	    rest, NOTICE_FAIL, "FAIL {\"jid\":\"job-0001\",\"errtype\":\"E\"}");
	assert_string_equal(rest, "");

	/* Its bytes stay, but for line ends between its values. */
	n = (struct notice){ .jid = "job-0001",
		.jid_len = 8,
		.copy = job,
		.copy_len = sizeof job - 1 };
	lines = put(b, &n);
	len = strlen(lines);
	assert_int_equal(notice_skip(lines, len, 0), 0);
	assert_int_equal(notice_over(lines, len, 0), notice_first(lines, len));
	rest = take_off(
	    lines, NOTICE_PUSH, "PUSH {\"args\":[1.0,9007199254740993]}");
	rest = take_off(rest, NOTICE_ACK, "ACK {\"jid\":\"job-0001\"}");
	assert_string_equal(rest, "");

	/* A FAIL that says when takes the place of both, where it is known. */
	n.failure = &f;
	n.result = "7";
	lines = put(b, &n);
	len = strlen(lines);
	assert_int_equal(notice_skip(lines, len, EXTENSION_FAIL_RETRY), 0);
	assert_int_equal(notice_over(lines, len, EXTENSION_FAIL_RETRY), len);
	skipped = notice_skip(lines, len, EXTENSION_RELEASE);
	rest = take_off(lines, NOTICE_FAIL,
	    "FAIL {\"jid\":\"job-0001\",\"errtype\":\"E\",\"result\":7}");
	assert_ptr_equal(rest, lines + skipped);
	rest = take_off(
	    rest, NOTICE_PUSH, "PUSH {\"args\":[1.0,9007199254740993]}");
	rest = take_off(rest, NOTICE_ACK, "ACK {\"jid\":\"job-0001\"}");
	assert_string_equal(rest, "");
	n.copy_len -= 2;
	assert_true(notice_put(b, &n) < 0);
	buf_free(b);
}

static void
what_does_not_fit_leaves_nothing(void **state)
{
	const struct notice n = {
		.jid = "job-0001", .jid_len = 8, .pushes = "{}", .pushes_len = 2
	};
	struct buf *b = buf_new(16);

	(void)state;
	assert_true(notice_put(b, &n) < 0);
	assert_int_equal(buf_len(b), 0);
	buf_free(b);
}

static void
foreign_bytes_are_one_command(void **state)
{
	(void)state;
	assert_int_equal(notice_verb("ACK", 3), NOTICE_UNKNOWN);
	assert_int_equal(notice_verb("", 0), NOTICE_UNKNOWN);
	assert_int_equal(notice_first("ACK", 3), 3);
	assert_int_equal(notice_first("", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follow_up_jobs_go_before_the_ack),
		cmocka_unit_test(a_failure_pushes_nothing_and_may_be_buried),
		cmocka_unit_test(
		    a_result_is_the_last_member_and_can_be_left_out),
		cmocka_unit_test(a_job_given_back_has_its_fallback_behind),
		cmocka_unit_test(what_does_not_fit_leaves_nothing),
		cmocka_unit_test(foreign_bytes_are_one_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
