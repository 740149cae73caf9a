/*
 * Who listens hears every line, first those that were kept; who leaves hears
 * nothing more, and memory has its ceiling.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/tap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct listener {
	struct tap_ear ear;
	char text[64 * 1024];
	size_t len;
	int lines;
	int leave_after; /* so many lines; 0: never */
};

static void
hear(void *ctx, const struct tap_line *line)
{
	struct listener *l = ctx;

	l->lines++;
	if (line == NULL)
		l->len += (size_t)snprintf(
		    l->text + l->len, sizeof l->text - l->len, "END");
	else
		l->len +=
		    (size_t)snprintf(l->text + l->len, sizeof l->text - l->len,
			"%d%d%s%.*s|", (int)line->stream, (int)line->level,
			line->more ? "+" : " ", (int)line->len, line->bytes);
	if (l->lines == l->leave_after)
		tap_leave(&l->ear);
}

static void
start(struct listener *l)
{
	memset(l, 0, sizeof *l);
	l->ear.hear = hear;
	l->ear.ctx = l;
}

static void
add(struct tap *t, const char *text, bool more)
{
	const struct tap_line line = { .stream = RUN_STDERR,
		.level = LOG_LEVEL_WARNING,
		.more = more,
		.bytes = text,
		.len = strlen(text) };

	tap_add(t, &line);
}

static void
what_was_said_is_heard_first_then_what_comes(void **state)
{
	static struct listener early, late;
	struct tap t = { 0 };

	(void)state;
	start(&early);
	start(&late);
	tap_listen(&t, &early.ear);
	add(&t, "one", true);
	add(&t, "", false);
	tap_listen(&t, &late.ear);
	add(&t, "two", false);
	tap_end(&t);
	assert_string_equal(early.text, "11+one|11 |11 two|END");
	assert_string_equal(late.text, early.text);
}

static void
who_leaves_hears_nothing_more(void **state)
{
	static struct listener l[3];
	struct tap t = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		start(&l[i]);
	l[0].leave_after = 2; /* while it hears what was kept */
	l[1].leave_after = 3; /* while it hears a new line */
	add(&t, "a", false);
	add(&t, "b", false);
	for (int i = 0; i < 3; i++)
		tap_listen(&t, &l[i].ear);
	add(&t, "c", false);
	tap_leave(&l[2].ear);
	add(&t, "d", false);
	tap_end(&t);
	assert_string_equal(l[0].text, "11 a|11 b|");
	assert_string_equal(l[1].text, "11 a|11 b|11 c|");
	assert_string_equal(l[2].text, "11 a|11 b|11 c|");
}

static void
the_oldest_lines_make_room(void **state)
{
	static struct listener l;
	struct tap t = { 0 };
	char text[16];
	int first;

	(void)state;
	start(&l);
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof text, "%d", i);
		add(&t, text, false);
	}
	assert_true(buf_len(t.kept) <= TAP_KEEP);
	tap_listen(&t, &l.ear);
	assert_int_equal(sscanf(l.text, "11 %d|", &first), 1);
	assert_int_equal(first, 10000 - l.lines);
	assert_true(l.lines > 300);
	tap_end(&t);
}

static void
a_line_that_is_too_long_to_keep_is_heard(void **state)
{
	static struct listener early, late;
	static char text[TAP_KEEP + 1];
	struct tap t = { 0 };

	(void)state;
	memset(text, 'x', TAP_KEEP);
	start(&early);
	start(&late);
	tap_listen(&t, &early.ear);
	add(&t, "a", false);
	add(&t, text, true);
	tap_listen(&t, &late.ear);
	assert_int_equal(early.lines, 2);
	assert_string_equal(late.text, "11 a|");
	tap_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_said_is_heard_first_then_what_comes),
		cmocka_unit_test(who_leaves_hears_nothing_more),
		cmocka_unit_test(the_oldest_lines_make_room),
		cmocka_unit_test(a_line_that_is_too_long_to_keep_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
