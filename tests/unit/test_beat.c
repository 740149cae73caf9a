/*
 * A heartbeat tells what it must, and its answer is understood in every form
 * that servers send.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/beat.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
is(struct buf *b, const char *want)
{
	assert_int_equal(buf_putc(b, '\0'), 0);
	assert_string_equal(buf_front(b), want);
	buf_clear(b);
}

static void
beats_are_written(void **state)
{
	struct buf *b = buf_new(100);

	(void)state;
	assert_int_equal(beat_put(b, "4qpc", 54176, WORKER_RUNNING), 0);
	is(b, "BEAT {\"wid\":\"4qpc\",\"rss_kb\":54176}\r\n");
	assert_int_equal(beat_put(b, "4\"", 0, WORKER_QUIET), 0);
	is(b, "BEAT {\"wid\":\"4\\\"\",\"current_state\":\"quiet\"}\r\n");
	assert_int_equal(beat_put(b, "4", 1, WORKER_TERMINATE), 0);
	is(b,
	    "BEAT {\"wid\":\"4\",\"rss_kb\":1,"
	    "\"current_state\":\"terminate\"}\r\n");
	buf_free(b);

	b = buf_new(20);
	assert_int_equal(beat_put(b, "4qpc", 54176, WORKER_QUIET), -ENOBUFS);
	assert_int_equal(buf_len(b), 0);
	buf_free(b);
}

static void
beats_are_read(void **state)
{
	static const struct {
		const char *text;
		int want;
		const char *wid;
		int64_t rss;
		enum worker_state state;
	} cases[] = {
		{ "{\"wid\":\"4qpc\"}", 0, "4qpc", 0, WORKER_RUNNING },
		{ "{\"WID\":\"4\",\"rss_kb\":7,\"current_state\":\"quiet\"}", 0,
		    "4", 7, WORKER_QUIET },
		{ "{\"current_state\":\"terminate\",\"wid\":\"4\"}", 0, "4", 0,
		    WORKER_TERMINATE },
		{ "{\"wid\":\"4\",\"current_state\":\"asleep\"}", 0, "4", 0,
		    WORKER_RUNNING },
		{ "{\"wid\":\"4\",\"current_state\":\"\",\"rss_kb\":null}", 0,
		    "4", 0, WORKER_RUNNING },
		{ "{}", 0, "", 0, WORKER_RUNNING },
		{ "", -EINVAL, NULL, 0, 0 },
		{ "[]", -EINVAL, NULL, 0, 0 },
		{ "{\"wid\":4}", -EINVAL, NULL, 0, 0 },
		{ "{\"wid\":\"a\\u0000b\"}", -EINVAL, NULL, 0, 0 },
		{ "{\"wid\":\"4\",\"rss_kb\":\"7\"}", -EINVAL, NULL, 0, 0 },
		{ "{\"wid\":\"4\",\"current_state\":1}", -EINVAL, NULL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct beat b;

		assert_int_equal(
		    beat_parse(cases[i].text, strlen(cases[i].text), &b),
		    cases[i].want);
		if (cases[i].wid == NULL)
			continue;
		assert_string_equal(b.wid, cases[i].wid);
		assert_true(b.rss_kb == cases[i].rss);
		assert_int_equal(b.state, cases[i].state);
		free(b.wid);
	}
}

static void
answers_are_written_as_clients_know_them(void **state)
{
	char first[] = "job-0001", second[] = "job\"2";
	char *both[] = { first, second };
	struct buf *b = buf_new(100);

	(void)state;
	assert_int_equal(beat_put_reply(b, &(struct beat_reply){ 0 }), 0);
	is(b, "+OK\r\n");
	assert_int_equal(
	    beat_put_reply(b, &(struct beat_reply){ .state = WORKER_QUIET }),
	    0);
	is(b, "$17\r\n{\"state\":\"quiet\"}\r\n");
	assert_int_equal(beat_put_reply(b,
			     &(struct beat_reply){ .state = WORKER_TERMINATE }),
	    0);
	is(b, "$21\r\n{\"state\":\"terminate\"}\r\n");
	assert_int_equal(
	    beat_put_reply(b, &(struct beat_reply){ .cancel = { both, 2 } }),
	    0);
	is(b, "$32\r\n{\"cancel\":[\"job-0001\",\"job\\\"2\"]}\r\n");
	assert_int_equal(beat_put_reply(b,
			     &(struct beat_reply){
				 .state = WORKER_QUIET, .lost = { both, 1 } }),
	    0);
	is(b, "$37\r\n{\"state\":\"quiet\",\"lost\":[\"job-0001\"]}\r\n");
	buf_free(b);
}

static void
answers_are_read_in_every_form(void **state)
{
	static const struct {
		const char *text;
		int want;
		enum worker_state state;
		size_t ncancel, nlost;
	} cases[] = {
		{ "OK", 0, WORKER_RUNNING, 0, 0 },
		{ "{\"state\":\"quiet\"}", 0, WORKER_QUIET, 0, 0 },
		{ " { \"state\" : \"terminate\" , \"x\" : 1 } ", 0,
		    WORKER_TERMINATE, 0, 0 },
		{ "{\"state\":\"running\"}", 0, WORKER_RUNNING, 0, 0 },
		{ "{\"cancel\":[\"a\",\"b\"]}", 0, WORKER_RUNNING, 2, 0 },
		{ "{\"lost\":[\"a\",7,\"\\u0000\",null,\"c\"],\"cancel\":[]}",
		    0, WORKER_RUNNING, 0, 2 },
		{ "{\"cancel\":[\"a\"],\"state\":\"quiet\",\"lost\":[\"b\"]}",
		    0, WORKER_QUIET, 1, 1 },
		{ "", -EINVAL, 0, 0, 0 },
		{ "ok", -EINVAL, 0, 0, 0 },
		{ "OK ", -EINVAL, 0, 0, 0 },
		{ "{}", -EINVAL, 0, 0, 0 },
		{ "{\"state\":1}", -EINVAL, 0, 0, 0 },
		{ "{\"state\":1,\"lost\":[\"a\"]}", -EINVAL, 0, 0, 0 },
		{ "{\"cancel\":\"a\"}", -EINVAL, 0, 0, 0 },
		{ "{\"cancel\":[\"a\"],\"lost\":{}}", -EINVAL, 0, 0, 0 },
		{ "\"quiet\"", -EINVAL, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct beat_reply got;
		int r =
		    beat_read_reply(cases[i].text, strlen(cases[i].text), &got);

		assert_int_equal(r, cases[i].want);
		if (r < 0)
			continue;
		assert_int_equal(got.state, cases[i].state);
		assert_int_equal(got.cancel.count, cases[i].ncancel);
		assert_int_equal(got.lost.count, cases[i].nlost);
		beat_reply_clear(&got);
		assert_null(got.lost.names);
	}
}

static void
no_more_jids_are_taken_than_a_worker_can_have(void **state)
{
	struct buf *b = buf_new(1024 * 1024);
	struct beat_reply got;

	(void)state;
	assert_int_equal(buf_puts(b, "{\"lost\":[\"x\""), 0);
	for (size_t i = 0; i < BEAT_JIDS_MAX; i++)
		assert_int_equal(buf_puts(b, ",\"job-0001\""), 0);
	assert_int_equal(buf_puts(b, "]}"), 0);
	assert_int_equal(beat_read_reply(buf_front(b), buf_len(b), &got), 0);
	assert_int_equal(got.lost.count, BEAT_JIDS_MAX);
	beat_reply_clear(&got);
	buf_free(b);
}

static void
states_have_names(void **state)
{
	(void)state;
	assert_string_equal(worker_state_name(WORKER_RUNNING), "running");
	assert_string_equal(worker_state_name(WORKER_QUIET), "quiet");
	assert_string_equal(worker_state_name(WORKER_TERMINATE), "terminate");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beats_are_written),
		cmocka_unit_test(beats_are_read),
		cmocka_unit_test(answers_are_written_as_clients_know_them),
		cmocka_unit_test(answers_are_read_in_every_form),
		cmocka_unit_test(no_more_jids_are_taken_than_a_worker_can_have),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
