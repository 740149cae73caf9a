/*
 * pending - a ring that doubles when it is full.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/pending.h"

#include <errno.h>
#include <stdlib.h>

static int
grow(struct pending *q)
{
	size_t cap = q->cap > 0 ? q->cap * 2 : 16;
	struct request *ring = calloc(cap, sizeof *ring);

	if (ring == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < q->count; i++)
		ring[i] = q->ring[(q->first + i) & (q->cap - 1)];
	free(q->ring);
	q->ring = ring;
	q->first = 0;
	q->cap = cap;
	return 0;
}

int
pending_put(struct pending *q, const struct request *r)
{
	if (q->count == q->cap && grow(q) < 0)
		return -ENOMEM;
	q->ring[(q->first + q->count) & (q->cap - 1)] = *r;
	q->count++;
	return 0;
}

bool
pending_take(struct pending *q, struct request *r)
{
	if (q->count == 0)
		return false;
	*r = q->ring[q->first];
	q->first = (q->first + 1) & (q->cap - 1);
	q->count--;
	return true;
}

size_t
pending_count(const struct pending *q)
{
	return q->count;
}

void
pending_clear(struct pending *q)
{
	free(q->ring);
	*q = (struct pending){ 0 };
}
