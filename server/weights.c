/*
 * weights - smooth weighted round robin.
 *
 * Each queue that could have given the job earns its weight, the one that has
 * most gives it and pays what all have earned. What queues own together stays
 * the same, so none can save up more than a few turns; and one that was not
 * asked for, or was empty, neither earns nor pays.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/weights.h"

#include <errno.h>
#include <string.h>

int
weights_set(struct queues *qs, const struct queue_weights *w)
{
	struct queue *q;
	size_t cursor = 0;

	for (size_t i = 0; i < w->count; i++) {
		const char *name = w->each[i].name;

		if (queues_get(qs, name, strlen(name)) == NULL)
			return -ENOMEM;
	}
	while ((q = queues_next(qs, &cursor)) != NULL)
		q->weight = q->credit = 0;
	for (size_t i = 0; i < w->count; i++) {
		const char *name = w->each[i].name;

		q = queues_find(qs, name, strlen(name));
		q->weight = w->each[i].weight;
	}
	return 0;
}

struct queue *
weights_next(struct queue *const *ready, size_t n)
{
	struct queue *best = ready[0];
	int64_t earned = 0;

	for (size_t i = 0; i < n; i++) {
		struct queue *q = ready[i];

		q->credit += q->weight;
		earned += q->weight;
		if (q->credit > best->credit)
			best = q;
	}
	best->credit -= earned;
	return best;
}
