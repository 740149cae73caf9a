/*
 * buf - bytes waiting to be read or written, with a ceiling.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_CAP = 256,
	KEPT_CAP = 64 * 1024, /* an empty buffer above this is given back */
};

struct buf {
	char *bytes;
	size_t start; /* first unread byte */
	size_t end;   /* one past the last byte */
	size_t cap;   /* one byte more is allocated, for the NUL of printf */
	size_t max;
};

struct buf *
buf_new(size_t max)
{
	struct buf *b = malloc(sizeof *b);

	if (b != NULL)
		*b = (struct buf){ .max = max };
	return b;
}

void
buf_free(struct buf *b)
{
	if (b == NULL)
		return;
	free(b->bytes);
	free(b);
}

static void
slide(struct buf *b)
{
	size_t len = b->end - b->start;

	memmove(b->bytes, b->bytes + b->start, len);
	b->start = 0;
	b->end = len;
}

static int
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap > 0 ? b->cap : FIRST_CAP;

	while (cap - b->end < need && cap < b->max)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)
		cap = b->max;
	if (cap == SIZE_MAX)
		return -ENOMEM;

	char *bytes = realloc(b->bytes, cap + 1);
	if (bytes == NULL)
		return -ENOMEM;
	b->bytes = bytes;
	b->cap = cap;
	return 0;
}

/* Makes room for `need` bytes after the end. */
static int
make_room(struct buf *b, size_t need)
{
	size_t len = b->end - b->start;

	if (need > b->max - len)
		return -ENOBUFS;
	if (b->cap - b->end >= need)
		return 0;
	if (b->bytes == NULL)
		return grow(b, need);

	/*
	 * Sliding many bytes to win a few would make a long queue of small
	 * pieces quadratic: below the ceiling it must win as much as it moves.
	 */
	bool worth = b->start >= len && b->cap - len >= need;
	if (worth || b->max - b->end < need)
		slide(b);
	if (b->cap - b->end >= need)
		return 0;
	return grow(b, need);
}

int
buf_append(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;

	int r = make_room(b, len);
	if (r < 0)
		return r;
	memcpy(b->bytes + b->end, bytes, len);
	b->end += len;
	return 0;
}

int
buf_puts(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

int
buf_putc(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;

	/* Mostly it fits into what is there; else it tells what it needs. */
	size_t room = b->bytes != NULL ? b->cap - b->end + 1 : 0;
	char *at = b->bytes != NULL ? b->bytes + b->end : NULL;
	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(at, room, fmt, args);
	va_end(args);

	int r = len < 0 ? -EINVAL : make_room(b, (size_t)len);
	if (r == 0 && len > 0) {
		if ((size_t)len >= room)
			vsnprintf(
			    b->bytes + b->end, (size_t)len + 1, fmt, again);
		b->end += (size_t)len;
	}
	va_end(again);
	return r;
}

char *
buf_room(struct buf *b, size_t want, size_t *got)
{
	size_t left = b->max - (b->end - b->start);

	if (left == 0 || want == 0)
		return NULL;
	if (want > left)
		want = left;
	if (make_room(b, want) < 0)
		return NULL;
	*got = b->cap - b->end;
	return b->bytes + b->end;
}

void
buf_filled(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->end);
	b->end += n;
}

const char *
buf_front(const struct buf *b)
{
	return b->bytes != NULL ? b->bytes + b->start : "";
}

size_t
buf_len(const struct buf *b)
{
	return b->end - b->start;
}

void
buf_drop(struct buf *b, size_t n)
{
	assert(n <= b->end - b->start);
	b->start += n;
	if (b->start < b->end)
		return;

	buf_clear(b);
	if (b->cap > KEPT_CAP) {
		free(b->bytes);
		b->bytes = NULL;
		b->cap = 0;
	}
}

void
buf_cut(struct buf *b, size_t n)
{
	assert(n <= b->end - b->start);
	b->end = b->start + n;
}

void
buf_clear(struct buf *b)
{
	b->start = 0;
	b->end = 0;
}
