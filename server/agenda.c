/*
 * agenda - a binary heap that lets an item be removed from the middle.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/agenda.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

struct agenda {
	struct agenda_item **heap; /* heap[item->slot] == item */
	size_t count;
	size_t cap;
	agenda_order *order;
};

struct agenda *
agenda_new(agenda_order *order)
{
	struct agenda *a = calloc(1, sizeof *a);

	if (a != NULL)
		a->order = order;
	return a;
}

void
agenda_free(struct agenda *a)
{
	if (a == NULL)
		return;
	free(a->heap);
	free(a);
}

size_t
agenda_count(const struct agenda *a)
{
	return a->count;
}

int
agenda_reserve(struct agenda *a, size_t n)
{
	size_t need = a->count + n;

	if (need <= a->cap)
		return 0;
	size_t cap = a->cap < 64 ? 64 : a->cap * 2;
	if (cap < need)
		cap = need;
	struct agenda_item **heap = realloc(a->heap, cap * sizeof *heap);
	if (heap == NULL)
		return -ENOMEM;
	a->heap = heap;
	a->cap = cap;
	return 0;
}

static int
before(const struct agenda *a, struct agenda_item *x, struct agenda_item *y)
{
	if (x->when != y->when)
		return x->when < y->when;
	return a->order(x, y) < 0;
}

static void
put(struct agenda *a, size_t slot, struct agenda_item *item)
{
	a->heap[slot] = item;
	item->slot = slot;
}

static void
rise(struct agenda *a, size_t slot, struct agenda_item *item)
{
	while (slot > 0) {
		size_t parent = (slot - 1) / 2;

		if (!before(a, item, a->heap[parent]))
			break;
		put(a, slot, a->heap[parent]);
		slot = parent;
	}
	put(a, slot, item);
}

static void
sink(struct agenda *a, size_t slot, struct agenda_item *item)
{
	for (;;) {
		size_t child = 2 * slot + 1;

		if (child >= a->count)
			break;
		if (child + 1 < a->count &&
		    before(a, a->heap[child + 1], a->heap[child]))
			child++;
		if (!before(a, a->heap[child], item))
			break;
		put(a, slot, a->heap[child]);
		slot = child;
	}
	put(a, slot, item);
}

void
agenda_add(struct agenda *a, struct agenda_item *item)
{
	assert(a->count < a->cap);
	rise(a, a->count++, item);
}

void
agenda_remove(struct agenda *a, struct agenda_item *item)
{
	size_t slot = item->slot;

	assert(slot < a->count && a->heap[slot] == item);
	struct agenda_item *last = a->heap[--a->count];
	if (last == item)
		return;
	if (slot > 0 && before(a, last, a->heap[(slot - 1) / 2]))
		rise(a, slot, last);
	else
		sink(a, slot, last);
}

struct agenda_item *
agenda_first(const struct agenda *a)
{
	return a->count > 0 ? a->heap[0] : NULL;
}

struct agenda_item *
agenda_at(const struct agenda *a, size_t i)
{
	return a->heap[i];
}

void
agenda_clear(struct agenda *a)
{
	a->count = 0;
}
