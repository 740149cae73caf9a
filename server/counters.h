/*
 * counters - how many jobs were processed and failed, in all and by UTC day.
 *
 * The numbers are written with the batch of what they count, one change a
 * counter however often it moved.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/store/store.h"

enum counter_kind { COUNT_PROCESSED, COUNT_FAILURES, COUNT_KINDS };

struct counters;

/* Returns NULL when memory is short. */
struct counters *counters_new(void);
void counters_free(struct counters *cs);

/* What the store had. Unknown names are ignored. */
void counters_load(struct counters *cs, const char *name, int64_t value);

/*
 * One more, to be written with what it counts; until counters_end() the total
 * is without it, so that nobody is told of what is not on the disk. That takes
 * it back unless it is `true`.
 */
void counters_begin(struct counters *cs, enum counter_kind kind);
void counters_end(struct counters *cs, enum counter_kind kind, bool is_true);

int64_t counters_total(const struct counters *cs, enum counter_kind kind);

/*
 * Puts what has moved into the store's open batch. What the disk has refused
 * waits for a batch with something else in it: by itself it would be tried,
 * and refused, at every turn. last: it waits no more.
 */
void counters_write(struct counters *cs, struct store *store, bool last);

/* Everything back to zero, but for what has begun; nothing is written. */
void counters_clear(struct counters *cs);

#endif
