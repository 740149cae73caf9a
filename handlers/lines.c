/*
 * lines - cuts a stream into lines, and long lines into pieces.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/lines.h"

#include <stdlib.h>
#include <string.h>

struct lines {
	size_t max;
	lines_emit *emit;
	void *ctx;
	bool inside; /* a piece of the present line was already emitted */
	size_t len;  /* of the present line, kept; at most max */
	char *kept;  /* max bytes; NULL until a line first comes in parts */
};

struct lines *
lines_new(size_t max, lines_emit *emit, void *ctx)
{
	struct lines *l = malloc(sizeof *l);

	if (l != NULL)
		*l = (struct lines){ .max = max, .emit = emit, .ctx = ctx };
	return l;
}

void
lines_free(struct lines *l)
{
	if (l == NULL)
		return;
	free(l->kept);
	free(l);
}

static bool
continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/*
 * How much of max bytes to emit so that no character is cut, when `next` comes
 * after them. What is no UTF-8 may be cut anywhere.
 */
static size_t
piece_len(const char *text, size_t max, char next)
{
	if (!continues(next))
		return max;
	for (size_t back = 1; back <= 3; back++)
		if (!continues(text[max - back])) {
			bool lead = (unsigned char)text[max - back] >= 0xc0;
			return lead ? max - back : max;
		}
	return max;
}

static void
emit_piece(struct lines *l, const char *text, size_t len)
{
	l->emit(l->ctx, text, len, true);
	l->inside = true;
}

static void
emit_end(struct lines *l, const char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\r')
		len--;
	l->emit(l->ctx, text, len, false);
	l->inside = false;
	l->len = 0;
}

/* Without memory for it a part of a line is told at once, as a piece. */
static void
keep(struct lines *l, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (l->kept == NULL)
		l->kept = malloc(l->max);
	if (l->kept == NULL) {
		emit_piece(l, bytes, len);
		return;
	}
	memcpy(l->kept + l->len, bytes, len);
	l->len += len;
}

/* Bytes of one line, without its LF. Leaves at most max of them in *bytes. */
static void
emit_full(struct lines *l, const char **bytes, size_t *len)
{
	while (*len > l->max) {
		size_t n = piece_len(*bytes, l->max, (*bytes)[l->max]);

		emit_piece(l, *bytes, n);
		*bytes += n;
		*len -= n;
	}
}

/*
 * Puts what is kept in front of the bytes as long as both are more than max,
 * which is at most twice: then all that is left fits into kept.
 */
static void
join(struct lines *l, const char **bytes, size_t *len)
{
	while (l->len > 0 && *len > l->max - l->len) {
		size_t fill = l->max - l->len;

		memcpy(l->kept + l->len, *bytes, fill);
		*bytes += fill;
		*len -= fill;
		size_t n = piece_len(l->kept, l->max, **bytes);
		emit_piece(l, l->kept, n);
		l->len = l->max - n;
		memmove(l->kept, l->kept + n, l->len);
	}
}

static void
add_part(struct lines *l, const char *bytes, size_t len)
{
	join(l, &bytes, &len);
	if (l->len == 0)
		emit_full(l, &bytes, &len);
	keep(l, bytes, len);
}

static void
add_last(struct lines *l, const char *bytes, size_t len)
{
	join(l, &bytes, &len);
	if (l->len == 0) {
		emit_full(l, &bytes, &len);
		emit_end(l, bytes, len);
		return;
	}
	keep(l, bytes, len);
	emit_end(l, l->kept, l->len);
}

void
lines_add(struct lines *l, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	const char *lf;

	while (bytes < end &&
	    (lf = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		add_last(l, bytes, (size_t)(lf - bytes));
		bytes = lf + 1;
	}
	add_part(l, bytes, (size_t)(end - bytes));
}

void
lines_end(struct lines *l)
{
	if (l->len > 0 || l->inside)
		emit_end(l, l->kept != NULL ? l->kept : "", l->len);
}

void
lines_save(const struct lines *l, struct state_writer *w)
{
	state_put_int(w, l->inside);
	state_put_bytes(w, l->kept, l->len);
}

void
lines_load(struct lines *l, struct state_reader *r)
{
	size_t len;

	l->inside = state_get_within(r, 0, 1) != 0;
	const char *bytes = state_get_bytes(r, &len);
	if (bytes == NULL)
		return;
	if (len > l->max)
		r->failed = true;
	else
		keep(l, bytes, len);
}
