/*
 * pending - requests that wait for their reply, first in, first out.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_PENDING_H
#define SUPERVISOR_PENDING_H

#include <stdbool.h>
#include <stddef.h>

struct resp;

struct request {
	void (*done)(void *ctx, const struct resp *reply);
	void *ctx;
};

/* Zeroed: empty. */
struct pending {
	struct request *ring; /* owned: pending_clear() */
	size_t first;
	size_t count;
	size_t cap; /* 0 or a power of two */
};

/* Returns 0 or -ENOMEM. */
int pending_put(struct pending *q, const struct request *r);

/* Returns false when there is none. */
bool pending_take(struct pending *q, struct request *r);

size_t pending_count(const struct pending *q);

/* Forgets everything and gives the memory back. */
void pending_clear(struct pending *q);

#endif
