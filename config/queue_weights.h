/*
 * queue_weights - the server's mapping of queues to weights.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_QUEUE_WEIGHTS_H
#define CONFIG_QUEUE_WEIGHTS_H

#include "config/reader.h"

#include <stdint.h>

struct queue_weight {
	char *name; /* owned */
	int64_t weight;
};

struct queue_weights {
	struct queue_weight *each; /* owned */
	size_t count;              /* 0: none has a weight */
};

/* A FIELD_OTHER decoder into a struct queue_weights. */
void queue_weights_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

void queue_weights_clear(struct queue_weights *w);

#endif
