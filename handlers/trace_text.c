/*
 * trace_text - a text cut into lines, and small questions about a line.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/trace_text.h"

#include <string.h>

bool
span_starts(struct trace_span s, const char *with)
{
	size_t len = strlen(with);

	return s.len >= len && memcmp(s.bytes, with, len) == 0;
}

bool
span_ends(struct trace_span s, const char *with)
{
	size_t len = strlen(with);

	return s.len >= len && memcmp(s.bytes + s.len - len, with, len) == 0;
}

struct trace_span
span_skip(struct trace_span s, size_t n)
{
	return (struct trace_span){ s.bytes + n, s.len - n };
}

struct trace_span
span_without(struct trace_span s, const char *prefix)
{
	return span_starts(s, prefix) ? span_skip(s, strlen(prefix)) : s;
}

size_t
span_find(struct trace_span s, const char *what)
{
	const char *at = memmem(s.bytes, s.len, what, strlen(what));

	return at != NULL ? (size_t)(at - s.bytes) : SIZE_MAX;
}

size_t
span_find_last(struct trace_span s, const char *what)
{
	size_t len = strlen(what);

	for (size_t end = s.len; end >= len; end--)
		if (memcmp(s.bytes + end - len, what, len) == 0)
			return end - len;
	return SIZE_MAX;
}

size_t
span_word(struct trace_span s, const char *more)
{
	static const char word[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789_";
	size_t n = 0;

	while (n < s.len && s.bytes[n] != '\0' &&
	    (strchr(word, s.bytes[n]) != NULL ||
		strchr(more, s.bytes[n]) != NULL))
		n++;
	return n;
}

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* Where the last TRACE_TEXT_LINES lines begin. */
static size_t
begin_of_last(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t at = len; at > 0; at--)
		if (text[at - 1] == '\n' && ++count == TRACE_TEXT_LINES)
			return at;
	return 0;
}

void
trace_text_cut(struct trace_text *t, const char *text, size_t len)
{
	while (len > 0 && is_line_end(text[len - 1]))
		len--;
	t->count = 0;
	for (size_t from = begin_of_last(text, len); from < len;) {
		const char *lf = memchr(text + from, '\n', len - from);
		size_t end = lf != NULL ? (size_t)(lf - text) : len;
		size_t n = end - from;

		if (n > 0 && text[end - 1] == '\r')
			n--;
		t->lines[t->count++] = (struct trace_span){ text + from, n };
		from = end + 1;
	}
}
