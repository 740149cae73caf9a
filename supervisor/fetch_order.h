/*
 * fetch_order - the names that a FETCH carries, in the order of this draw.
 *
 * Strict: always as listed. Weighted: drawn without putting back, so that a
 * queue of weight 3 stands before one of weight 1 three times out of four,
 * and every queue is still asked each time. Where several jobs are asked for,
 * each queue gives at most as many as it stood first in so many draws.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_FETCH_ORDER_H
#define SUPERVISOR_FETCH_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/settings.h"

struct fetch_order;

/* s is borrowed. Returns NULL when memory is short. */
struct fetch_order *fetch_order_new(const struct settings *s);

/* Accepts NULL. */
void fetch_order_free(struct fetch_order *o);

/* Its queues, in the order of the settings. Borrowed. */
size_t fetch_order_count(const struct fetch_order *o);
const char *fetch_order_queue(const struct fetch_order *o, size_t i);

/*
 * Appends the whole line that asks for so many jobs: FETCH for one, FETCHB for
 * more. most: how many of them may come from each queue; those of which it is
 * 0 are left out, and one at least must stay. Returns as buf_append().
 */
int fetch_order_put(
    struct fetch_order *o, size_t jobs, const size_t *most, struct buf *out);

#endif
