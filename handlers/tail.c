/*
 * tail - the last bytes of a stream.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/tail.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 1024 };

/* A ring once it is full; until then oldest stays 0. */
struct tail {
	char *ring;
	size_t cap;
	size_t max;
	size_t len;
	size_t oldest; /* index of the first byte kept */
};

struct tail *
tail_new(size_t max)
{
	struct tail *t = malloc(sizeof *t);

	if (t != NULL)
		*t = (struct tail){ .max = max };
	return t;
}

void
tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	free(t->ring);
	free(t);
}

/* Puts the oldest byte first, by three reversals: no second buffer. */
static void
reverse(char *first, char *end)
{
	while (first < end) {
		char c = *first;

		*first++ = *--end;
		*end = c;
	}
}

static void
straighten(struct tail *t)
{
	if (t->oldest == 0)
		return;
	reverse(t->ring, t->ring + t->oldest);
	reverse(t->ring + t->oldest, t->ring + t->cap);
	reverse(t->ring, t->ring + t->cap);
	t->oldest = 0;
}

/* Makes the ring hold `want` bytes, or as many as it may and memory allows. */
static void
grow(struct tail *t, size_t want)
{
	size_t cap = t->cap > 0 ? t->cap : FIRST_CAP;

	while (cap < want && cap < t->max)
		cap *= 2;
	if (cap > t->max)
		cap = t->max;
	if (cap <= t->cap)
		return;
	straighten(t);
	char *ring = realloc(t->ring, cap);
	if (ring == NULL)
		return;
	t->ring = ring;
	t->cap = cap;
}

void
tail_add(struct tail *t, const char *bytes, size_t len)
{
	if (len > t->cap - t->len)
		grow(t, len > t->max ? t->max : t->len + len);
	if (len > t->cap) {
		bytes += len - t->cap;
		len = t->cap;
	}
	if (len == 0)
		return;

	size_t at = (t->oldest + t->len) % t->cap;
	size_t before_end = t->cap - at < len ? t->cap - at : len;
	memcpy(t->ring + at, bytes, before_end);
	memcpy(t->ring, bytes + before_end, len - before_end);

	t->len += len;
	if (t->len > t->cap) {
		t->oldest = (t->oldest + t->len - t->cap) % t->cap;
		t->len = t->cap;
	}
}

const char *
tail_bytes(struct tail *t, size_t *len)
{
	*len = t->len;
	if (t->ring == NULL)
		return "";
	straighten(t);
	return t->ring;
}

void
tail_save(struct tail *t, struct state_writer *w)
{
	size_t len;
	const char *bytes = tail_bytes(t, &len);

	state_put_bytes(w, bytes, len);
}

void
tail_load(struct tail *t, struct state_reader *r)
{
	size_t len;
	const char *bytes = state_get_bytes(r, &len);

	if (bytes != NULL)
		tail_add(t, bytes, len);
}
