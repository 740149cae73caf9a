/*
 * counters - how many jobs were processed and failed, in all and by UTC day.
 *
 * Counting is in memory at once; the numbers are written with the next batch,
 * one change a counter however often it moved.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

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

void counters_add(struct counters *cs, enum counter_kind kind, int64_t n);
int64_t counters_total(const struct counters *cs, enum counter_kind kind);

/* Puts what has moved into the store's open batch. */
void counters_write(struct counters *cs, struct store *store);

/* Everything back to zero; nothing of it is written. */
void counters_clear(struct counters *cs);

#endif
