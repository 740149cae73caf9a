/*
 * weights - which of several queues with weights gives the next job.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_WEIGHTS_H
#define SERVER_WEIGHTS_H

#include "config/queue_weights.h"
#include "server/queues.h"

/*
 * From now on these queues have weights and no others; the turns begin anew.
 * 0, or -ENOMEM: then nothing has changed.
 */
int weights_set(struct queues *qs, const struct queue_weights *w);

/*
 * Of n queues (n > 0) that have weights and jobs, the one whose turn it is.
 * Asked again and again with the same ones it names each in proportion to its
 * weight, spread as evenly as that goes, each at least once in as many turns
 * as all weights together.
 */
struct queue *weights_next(struct queue *const *ready, size_t n);

#endif
