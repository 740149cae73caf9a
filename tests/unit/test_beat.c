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
	struct buf *b = buf_new(100);

	(void)state;
	assert_int_equal(beat_put_reply(b, WORKER_RUNNING), 0);
	is(b, "+OK\r\n");
	assert_int_equal(beat_put_reply(b, WORKER_QUIET), 0);
	is(b, "$17\r\n{\"state\":\"quiet\"}\r\n");
	assert_int_equal(beat_put_reply(b, WORKER_TERMINATE), 0);
	is(b, "$21\r\n{\"state\":\"terminate\"}\r\n");
	buf_free(b);
}

static void
answers_are_read_in_every_form(void **state)
{
	static const struct {
		const char *text;
		int want;
		enum worker_state state;
	} cases[] = {
		{ "OK", 0, WORKER_RUNNING },
		{ "{\"state\":\"quiet\"}", 0, WORKER_QUIET },
		{ " { \"state\" : \"terminate\" , \"x\" : 1 } ", 0,
		    WORKER_TERMINATE },
		{ "{\"state\":\"running\"}", 0, WORKER_RUNNING },
		{ "", -EINVAL, 0 },
		{ "ok", -EINVAL, 0 },
		{ "OK ", -EINVAL, 0 },
		{ "{}", -EINVAL, 0 },
		{ "{\"state\":1}", -EINVAL, 0 },
		{ "\"quiet\"", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum worker_state s;
		int r =
		    beat_read_reply(cases[i].text, strlen(cases[i].text), &s);

		assert_int_equal(r, cases[i].want);
		if (r == 0)
			assert_int_equal(s, cases[i].state);
	}
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
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
