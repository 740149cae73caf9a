/*
 * What FETCHB says of how many jobs are wanted: read as it was written, and
 * refused where it is no number within the ceiling.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/fetchb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
a_number_stands_in_front(void **state)
{
	static const struct {
		const char *arg;
		size_t count;
		const char *rest;
	} cases[] = {
		{ "8 critical default:2", 8, "critical default:2" },
		{ "1 q", 1, "q" },
		{ "016 q", 16, "q" },
		{ "16 ", 16, "" },
		{ "17 q", 0, NULL },
		{ "0 q", 0, NULL },
		{ "-1 q", 0, NULL },
		{ "+1 q", 0, NULL },
		{ "q 1", 0, NULL },
		{ " q", 0, NULL },
		{ "8", 0, NULL },
		{ "", 0, NULL },
		{ "18446744073709551617 q", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *arg = cases[i].arg;
		size_t len = strlen(arg);

		assert_int_equal(fetchb_read_count(&arg, &len), cases[i].count);
		if (cases[i].rest == NULL) {
			assert_ptr_equal(arg, cases[i].arg);
			continue;
		}
		assert_int_equal(len, strlen(cases[i].rest));
		assert_memory_equal(arg, cases[i].rest, len);
	}
}

static void
a_queue_may_have_a_limit(void **state)
{
	static const struct {
		const char *word;
		size_t limit, len;
	} cases[] = {
		{ "default", SIZE_MAX, 7 },
		{ "", SIZE_MAX, 0 },
		{ "default:2", 2, 7 },
		{ "q:16", 16, 1 },
		{ "q:17", 0, 1 },
		{ "q:0", 0, 1 },
		{ "q:", 0, 1 },
		{ "q:2:3", 0, 1 },
		{ "q:x", 0, 1 },
		{ ":1", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].word);

		assert_true(
		    fetchb_read_limit(cases[i].word, &len) == cases[i].limit);
		assert_int_equal(len, cases[i].len);
	}
}

static void
what_is_written_is_read_back(void **state)
{
	struct buf *b = buf_new(100);
	static const char want[] = "FETCHB 12 a:3 b";

	(void)state;
	assert_int_equal(fetchb_put_count(b, 12), 0);
	assert_int_equal(fetchb_put_queue(b, "a", 3), 0);
	assert_int_equal(fetchb_put_queue(b, "b", SIZE_MAX), 0);
	assert_int_equal(buf_len(b), strlen(want));
	assert_memory_equal(buf_front(b), want, strlen(want));

	const char *arg = buf_front(b) + strlen("FETCHB ");
	size_t len = strlen("12 a:3 b");
	assert_int_equal(fetchb_read_count(&arg, &len), 12);
	len = strlen("a:3");
	assert_int_equal(fetchb_read_limit(arg, &len), 3);
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_stands_in_front),
		cmocka_unit_test(a_queue_may_have_a_limit),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
