/*
 * Words become the message that they say, bytes and digits as given; what
 * makes none leaves nothing.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/msg_line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* text: words with '|' between them. Returns as msg_line_put(). */
static int
put(struct buf *out, const char *text, struct err *e)
{
	char *words[16], *copy = strdup(text), *rest = copy, *word;
	size_t n = 0;

	while ((word = strsep(&rest, "|")) != NULL)
		words[n++] = word;
	int r = msg_line_put(out, words, n, e);
	free(copy);
	return r;
}

static void
expect(const char *words, const char *line)
{
	struct buf *b = buf_new(MSG_LINE_MAX);
	struct err e;

	if (put(b, words, &e) < 0)
		fail_msg("%s: %s", words, e.text);
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(buf_front(b), line);
	buf_free(b);
}

static void
words_become_members(void **state)
{
	(void)state;
	expect("progress|40", "{\"type\":\"progress\",\"percent\":40}\n");
	expect("progress|40.5|a \"b\"\n\\",
	    "{\"type\":\"progress\",\"percent\":40.5,\"desc\":\"a "
	    "\\\"b\\\"\\n\\\\\"}\n");
	expect("progress|halfway",
	    "{\"type\":\"progress\",\"desc\":\"halfway\"}\n");
	expect("heartbeat", "{\"type\":\"heartbeat\"}\n");
	expect("extend|90", "{\"type\":\"extend\",\"seconds\":90.000000}\n");
	expect(
	    "extend|1min 30s", "{\"type\":\"extend\",\"seconds\":90.000000}\n");
	expect("log|debug|text|k=v|n=1",
	    "{\"type\":\"log\",\"level\":\"debug\",\"msg\":\"text\","
	    "\"fields\":{\"k\":\"v\",\"n\":1}}\n");
	expect("result| [ 1.0, 9007199254740993 ] ",
	    "{\"type\":\"result\",\"value\":[1.0,9007199254740993]}\n");
	expect("push|{\"jobtype\":\"t\"}",
	    "{\"type\":\"push\",\"job\":{\"jobtype\":\"t\"}}\n");
	expect("metric|a|-3",
	    "{\"type\":\"metric\",\"name\":\"a\",\"value\":-3}\n");
}

static void
an_error_says_when_to_try_again(void **state)
{
	(void)state;
	expect("error|E|m",
	    "{\"type\":\"error\",\"errtype\":\"E\",\"message\":\"m\"}\n");
	expect("error|--retry|no|E|m",
	    "{\"type\":\"error\",\"retry\":false,\"errtype\":\"E\","
	    "\"message\":\"m\"}\n");
	expect("error|E|m|--retry=discard",
	    "{\"type\":\"error\",\"errtype\":\"E\",\"message\":\"m\","
	    "\"retry\":\"discard\"}\n");
	expect("error|E|m|--retry|30",
	    "{\"type\":\"error\",\"errtype\":\"E\",\"message\":\"m\","
	    "\"retry_in\":30.000000}\n");
	expect("error|--|E|--retry",
	    "{\"type\":\"error\",\"errtype\":\"E\",\"message\":\"--retry\"}\n");
}

static void
what_makes_no_message_leaves_nothing(void **state)
{
	static const char *const bad[] = { "", "Progress|1", "progress|\xff",
		"progress|-1", "extend|infinity", "extend|-1", "log|info",
		"log|info|x|=1", "result|", "result|1 2", "metric|a|NaN",
		"error|E|m|n", "push|1" };
	struct buf *b = buf_new(MSG_LINE_MAX);
	struct err e;

	(void)state;
	assert_int_equal(buf_puts(b, "kept"), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(put(b, bad[i], &e), -EINVAL);
		assert_int_equal(buf_len(b), 4);
	}
	buf_free(b);

	b = buf_new(20);
	assert_int_equal(put(b, "progress|halfway there", &e), -ENOBUFS);
	assert_int_equal(buf_len(b), 0);
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_members),
		cmocka_unit_test(an_error_says_when_to_try_again),
		cmocka_unit_test(what_makes_no_message_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
