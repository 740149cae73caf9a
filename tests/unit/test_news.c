/*
 * What a worker is to be told is on disk before it counts, is told once, and
 * goes when its time is over.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/news.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/storebench.h"

static struct news *
started(struct bench *b)
{
	struct news *ns = news_new();

	assert_non_null(ns);
	news_start(ns, b->store);
	return ns;
}

static void
posted(void *ctx, int result, const struct err *why)
{
	(void)why;
	*(int *)ctx = result;
}

static void
post(struct bench *b, struct news *ns, enum store_note kind, const char *wid,
    const char *jid)
{
	int result = 1;

	assert_int_equal(
	    news_post(ns, kind, wid, jid, 100, posted, &result), 0);
	turn_until_told(b);
	assert_int_equal(result, 0);
}

/* "cancel a b lost c" */
static const char *
told(struct news *ns, const char *wid)
{
	static char text[500];
	struct beat_reply r = { 0 };

	news_tell(ns, wid, &r);
	strcpy(text, "cancel");
	for (size_t i = 0; i < r.cancel.count; i++)
		sprintf(text + strlen(text), " %s", r.cancel.names[i]);
	strcat(text, " lost");
	for (size_t i = 0; i < r.lost.count; i++)
		sprintf(text + strlen(text), " %s", r.lost.names[i]);
	beat_reply_clear(&r);
	return text;
}

static void
each_is_told_once_to_its_worker(void **state)
{
	struct bench *b = *state;
	struct news *ns = started(b);

	post(b, ns, NOTE_CANCEL, "w1", "a");
	post(b, ns, NOTE_LOST, "w1", "b");
	post(b, ns, NOTE_CANCEL, "w1", "a");
	post(b, ns, NOTE_CANCEL, "w1", "c");
	post(b, ns, NOTE_CANCEL, "w2", "a");
	assert_int_equal(news_count(ns), 4);
	assert_true(news_of_loss(ns, "w1"));
	assert_false(news_of_loss(ns, "w2"));
	assert_string_equal(told(ns, "w3"), "cancel lost");
	assert_string_equal(told(ns, "w1"), "cancel a c lost b");
	assert_string_equal(told(ns, "w1"), "cancel lost");
	assert_false(news_of_loss(ns, "w1"));
	post(b, ns, NOTE_LOST, "w1", "d");
	turn_until_told(b);
	reopen(b);
	assert_string_equal(b->seen, "note 3 w1 d 100\nnote 2 w2 a 100\n");
	news_free(ns);
}

static void
nothing_counts_before_it_is_on_disk(void **state)
{
	struct bench *b = *state;
	struct news *ns = started(b);

	assert_int_equal(news_post(ns, NOTE_LOST, "w", "a", 1, NULL, NULL), 0);
	assert_int_equal(news_count(ns), 0);
	assert_string_equal(told(ns, "w"), "cancel lost");
	turn_until_told(b);
	assert_string_equal(told(ns, "w"), "cancel lost a");
	turn_until_told(b);
	news_free(ns);
}

static void
what_was_loaded_is_told_and_what_is_over_is_not(void **state)
{
	struct bench *b = *state;
	struct news *ns = started(b);

	assert_int_equal(news_load(ns, NOTE_LOST, "w1", "a", 10), 0);
	assert_int_equal(news_load(ns, NOTE_LOST, "w1", "b", 20), 0);
	assert_int_equal(news_load(ns, NOTE_CANCEL, "w1", "b", 30), 0);
	assert_int_equal(news_load(ns, NOTE_CANCEL, "w2", "a", 10), 0);
	news_expire(ns, 9);
	assert_int_equal(news_count(ns), 4);
	news_expire(ns, 10);
	assert_int_equal(news_count(ns), 2);
	news_drop(ns, NOTE_CANCEL, "w1", "a"); /* there is none */
	news_drop(ns, NOTE_CANCEL, "w9", "a");
	news_drop(ns, NOTE_CANCEL, "w1", "b");
	assert_int_equal(news_load(ns, NOTE_LOST, "w1", "c", 40), 0);
	assert_string_equal(told(ns, "w1"), "cancel lost b c");
	assert_int_equal(news_load(ns, NOTE_LOST, "w1", "c", 40), 0);
	news_clear(ns);
	assert_int_equal(news_count(ns), 0);
	assert_string_equal(told(ns, "w1"), "cancel lost");
	turn_until_told(b);
	news_free(ns);
	news_free(NULL);
}

/* More than one reply takes are told in several. */
static void
one_reply_takes_a_limited_number(void **state)
{
	struct bench *b = *state;
	struct news *ns = started(b);
	struct beat_reply r = { 0 };
	char jid[32];

	for (int i = BEAT_JIDS_MAX + 5; i > 0; i--) {
		snprintf(jid, sizeof jid, "job-%d", i);
		assert_int_equal(news_load(ns, NOTE_LOST, "w", jid, 1), 0);
	}
	news_tell(ns, "w", &r);
	assert_int_equal(r.lost.count, BEAT_JIDS_MAX);
	beat_reply_clear(&r);
	assert_int_equal(news_count(ns), 5);
	assert_string_equal(
	    told(ns, "w"), "cancel lost job-5 job-4 job-3 job-2 job-1");
	turn_until_told(b);
	news_free(ns);
}

int
main(void)
{
#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(each_is_told_once_to_its_worker),
		WITH_BENCH(nothing_counts_before_it_is_on_disk),
		WITH_BENCH(what_was_loaded_is_told_and_what_is_over_is_not),
		WITH_BENCH(one_reply_takes_a_limited_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
