/*
 * A result is there once its job's end is on disk, under the newest job of its
 * jid, until its time is over.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/results.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "protocol/outcome.h"
#include "tests/unit/storebench.h"

static struct results *
started(struct bench *b, int64_t retention)
{
	struct results *rs = results_new(retention);

	assert_non_null(rs);
	results_start(rs, b->store);
	return rs;
}

static int
keep(struct results *rs, int64_t id, const char *jid, const char *value)
{
	struct json result;

	assert_int_equal(json_check(value, strlen(value), &result, NULL), 0);
	return results_keep(rs, id, jid, id % 2 == 0, &result);
}

static void
told(void *ctx, int result, const struct err *why, const char *document,
    size_t len)
{
	(void)why;
	snprintf(ctx, 300, "%d %.*s", result, (int)len,
	    document != NULL ? document : "");
}

/* "-2" when there is none; else the document's members behind its time. */
static const char *
ask(struct bench *b, struct results *rs, const char *jid)
{
	static char text[300];
	int r = results_ask(rs, jid, strlen(jid), told, text);

	if (r < 0) {
		snprintf(text, sizeof text, "%d", r);
		return text;
	}
	turn_until_told(b);
	const char *from = strstr(text, "\"failed\"");
	return from != NULL ? from : text;
}

static void
the_newest_of_a_jid_is_told(void **state)
{
	struct bench *b = *state;
	struct results *rs = started(b, INT64_MAX);

	assert_int_equal(keep(rs, 1, "a", "{\"x\":9007199254740993}"), 0);
	assert_string_equal(ask(b, rs, "a"), "-2");
	turn_until_told(b);
	assert_string_equal(ask(b, rs, "a"),
	    "\"failed\":false,\"result\":{\"x\":9007199254740993}}");
	assert_int_equal(keep(rs, 1, "a", "null"), 0);
	assert_int_equal(keep(rs, 3, "b", "1.0"), 0);
	turn_until_told(b);
	assert_int_equal(results_count(rs), 2);
	assert_string_equal(
	    ask(b, rs, "a"), "\"failed\":false,\"result\":null}");
	assert_int_equal(keep(rs, 4, "a", "\"two\""), 0);
	turn_until_told(b);
	assert_string_equal(
	    ask(b, rs, "a"), "\"failed\":true,\"result\":\"two\"}");
	assert_string_equal(ask(b, rs, "c"), "-2");
	assert_int_equal(results_count(rs), 3);
	results_free(rs);

	reopen(b);
	assert_non_null(strstr(b->seen, "result 1 a "));
	assert_non_null(strstr(b->seen, "result 3 b "));
	assert_non_null(strstr(b->seen, "result 4 a "));
	assert_int_equal(
	    storedir_ask(&b->dir, "SELECT count(*) FROM v_results"), 3);
}

static void
the_old_and_the_many_go(void **state)
{
	struct bench *b = *state;
	struct results *rs = started(b, 1000 * CLOCK_NS_PER_S);
	int64_t now = clock_wall();
	char jid[32];

	assert_int_equal(
	    results_load(rs, 1, "old", now - 2000 * CLOCK_NS_PER_S), 0);
	assert_int_equal(results_load(rs, 2, "new", now), 0);
	results_expire(rs);
	assert_int_equal(results_count(rs), 1);
	assert_string_equal(ask(b, rs, "old"), "-2");
	for (int i = 0; i < RESULTS_MAX + 10; i++) {
		snprintf(jid, sizeof jid, "job-%d", i);
		assert_int_equal(results_load(rs, 10 + i, jid, now), 0);
	}
	results_expire(rs);
	assert_int_equal(results_count(rs), RESULTS_MAX);
	/* Its row is gone: it is as if there had never been one. */
	assert_string_equal(ask(b, rs, "job-99"), "0 ");
	results_clear(rs);
	assert_int_equal(results_count(rs), 0);
	turn_until_told(b);
	results_free(rs);
	results_free(NULL);
}

static void
what_is_too_large_or_not_wanted_is_not_kept(void **state)
{
	struct bench *b = *state;
	struct results *rs = started(b, INT64_MAX), *none = started(b, 0);
	static char large[RESULT_MAX + 2];

	memset(large, '1', RESULT_MAX + 1);
	assert_int_equal(keep(rs, 1, "a", large), -EMSGSIZE);
	large[RESULT_MAX] = '\0';
	assert_int_equal(keep(rs, 1, "a", large), 0);
	assert_int_equal(keep(none, 1, "a", "1"), 0);
	turn_until_told(b);
	assert_int_equal(results_count(rs), 1);
	assert_int_equal(results_count(none), 0);
	results_free(none);
	results_free(rs);
}

int
main(void)
{
#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(the_newest_of_a_jid_is_told),
		WITH_BENCH(the_old_and_the_many_go),
		WITH_BENCH(what_is_too_large_or_not_wanted_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
