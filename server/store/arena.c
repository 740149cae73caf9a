/*
 * arena - copies that live until all of them are dropped at once.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/arena.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 * 1024 };

struct block {
	struct block *next;
	size_t cap;
	size_t len;
	char bytes[];
};

struct arena {
	struct block *blocks; /* the first is the one being filled */
	size_t used;
};

struct arena *
arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_clear(a);
	free(a->blocks);
	free(a);
}

static struct block *
make_room(struct arena *a, size_t need)
{
	struct block *b = a->blocks;

	if (b != NULL && b->cap - b->len >= need)
		return b;

	size_t cap = need > BLOCK ? need : BLOCK;
	if (cap > (size_t)-1 - sizeof *b)
		return NULL;
	b = malloc(sizeof *b + cap);
	if (b == NULL)
		return NULL;
	b->cap = cap;
	b->len = 0;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

char *
arena_copy(struct arena *a, const void *bytes, size_t len)
{
	struct block *b = make_room(a, len + 1);

	if (b == NULL)
		return NULL;
	char *copy = b->bytes + b->len;
	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	b->len += len + 1;
	a->used += len;
	return copy;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

void
arena_clear(struct arena *a)
{
	struct block *kept = NULL, *b;

	while ((b = a->blocks) != NULL) {
		a->blocks = b->next;
		if (kept == NULL && b->cap == BLOCK)
			kept = b;
		else
			free(b);
	}
	if (kept != NULL) {
		kept->next = NULL;
		kept->len = 0;
	}
	a->blocks = kept;
	a->used = 0;
}
