/*
 * lines: however a stream arrives, the same lines come out, none longer than
 * the ceiling, and nothing of it is lost.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEN_MAX = 64 * 1024 };

/* What came out: each piece followed by '|', or by '+' when it goes on. */
struct seen {
	char text[SEEN_MAX];
	size_t len;
	size_t longest;
};

static void
note(void *ctx, const char *bytes, size_t len, bool more)
{
	struct seen *s = ctx;

	assert_true(s->len + len + 1 < SEEN_MAX);
	if (len > 0)
		memcpy(s->text + s->len, bytes, len);
	s->len += len;
	s->text[s->len++] = more ? '+' : '|';
	s->text[s->len] = '\0';
	if (len > s->longest)
		s->longest = len;
}

/* Cuts text in steps of `step` bytes; 0: all at once. */
static void
cut(struct seen *s, size_t max, const char *text, size_t len, size_t step)
{
	struct lines *l = lines_new(max, note, s);

	assert_non_null(l);
	memset(s, 0, sizeof *s);
	if (step == 0)
		step = len > 0 ? len : 1;
	for (size_t at = 0; at < len; at += step)
		lines_add(l, text + at, len - at < step ? len - at : step);
	lines_end(l);
	lines_end(l); /* a second one has nothing to say */
	lines_free(l);
}

static void
lines_come_out_the_same_in_any_fragmentation(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "\n", "|" },
		{ "\n\n", "||" },
		{ "a", "a|" },
		{ "a\n", "a|" },
		{ "a\nb", "a|b|" },
		{ "a\r\nb\r\n", "a|b|" },
		{ "a\rb\r\r\n", "a\rb\r|" },
		{ "12345678\n", "12345678|" },
		{ "123456789\n", "12345678+9|" },
		{ "12345678", "12345678|" },
		{ "1234567812345678\n", "12345678+12345678|" },
		{ "12345678123456781\nx\n", "12345678+12345678+1|x|" },
		/* The two bytes of a character stay together ... */
		{ "1234567\xc3\xa4z\n", "1234567+\xc3\xa4z|" },
		/* ... and the three, and the four. */
		{ "123456\xe2\x82\xacz\n", "123456+\xe2\x82\xacz|" },
		{ "12345\xf0\x9f\x98\x80z\n", "12345+\xf0\x9f\x98\x80z|" },
		{ "1234\xf0\x9f\x98\x80z\n", "1234\xf0\x9f\x98\x80+z|" },
		/* What is no UTF-8 has no such right. */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\n",
		    "\x80\x80\x80\x80\x80\x80\x80\x80+\x80\x80|" },
	};
	struct seen *s = malloc(sizeof *s);

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t step = 0; step < 20; step++) {
			cut(s, 8, cases[i].text, strlen(cases[i].text), step);
			assert_string_equal(s->text, cases[i].want);
		}
	free(s);
}

/* Without '\r', '+' and '|' the pieces put together are the stream. */
static void
nothing_is_lost_and_no_piece_is_too_long(void **state)
{
	static const char alphabet[] = "ab\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x80";
	struct seen *s = malloc(sizeof *s);
	struct seen *other = malloc(sizeof *other);
	char text[5000];

	(void)state;
	assert_non_null(s);
	assert_non_null(other);
	srandom(1);
	for (int round = 0; round < 300; round++) {
		size_t max = 4 + (size_t)random() % 60;
		size_t rare = 1 + (size_t)random() % 100;

		for (size_t i = 0; i < sizeof text; i++) {
			size_t k = (size_t)random() % (sizeof alphabet - 1);
			bool lf = alphabet[k] == '\n';
			text[i] = alphabet[k];
			if (lf && (size_t)random() % rare != 0)
				text[i] = 'x';
		}
		cut(s, max, text, sizeof text, 0);
		cut(other, max, text, sizeof text, 1 + (size_t)random() % 200);
		assert_true(s->longest <= max);
		assert_true(other->longest <= max);

		for (int which = 0; which < 2; which++) {
			const struct seen *one = which == 0 ? s : other;
			size_t at = 0;
			for (size_t i = 0; i < one->len; i++) {
				if (one->text[i] == '+')
					continue;
				char c = one->text[i];
				if (at < sizeof text)
					assert_int_equal(
					    text[at], c == '|' ? '\n' : c);
				at++;
			}
			assert_true(at == sizeof text || at == sizeof text + 1);
		}
	}
	free(s);
	free(other);
}

struct count {
	size_t pieces, bytes, ends;
};

static void
count(void *ctx, const char *bytes, size_t len, bool more)
{
	struct count *c = ctx;

	(void)bytes;
	c->pieces++;
	c->bytes += len;
	c->ends += more ? 0 : 1;
}

static void
a_line_of_100_MB_comes_in_pieces_while_it_arrives(void **state)
{
	enum { CHUNK = 64 * 1024, CHUNKS = 1600, MAX = 16 * 1024 };
	static char chunk[CHUNK];
	struct count c = { 0 };
	struct lines *l = lines_new(MAX, count, &c);

	(void)state;
	assert_non_null(l);
	memset(chunk, 'x', sizeof chunk);
	for (size_t i = 1; i <= CHUNKS; i++) {
		lines_add(l, chunk, sizeof chunk);
		assert_true(c.bytes + MAX >= i * CHUNK);
	}
	assert_int_equal(c.ends, 0);
	lines_end(l);
	assert_int_equal(c.ends, 1);
	assert_int_equal(c.bytes, (size_t)CHUNK * CHUNKS);
	assert_int_equal(c.pieces, (size_t)CHUNK * CHUNKS / MAX);
	lines_free(l);
}

static void
an_unended_line_may_be_forgotten(void **state)
{
	struct count c = { 0 };
	struct lines *l = lines_new(8, count, &c);

	(void)state;
	assert_non_null(l);
	lines_add(l, "abc", 3);
	lines_free(l);
	lines_free(NULL);
	assert_int_equal(c.pieces, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_out_the_same_in_any_fragmentation),
		cmocka_unit_test(nothing_is_lost_and_no_piece_is_too_long),
		cmocka_unit_test(
		    a_line_of_100_MB_comes_in_pieces_while_it_arrives),
		cmocka_unit_test(an_unended_line_may_be_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
