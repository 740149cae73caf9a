/*
 * fetch_order - the names that a FETCH carries, in the order of this draw.
 *
 * Strict: always as listed. Weighted: drawn without putting back, so that a
 * queue of weight 3 stands before one of weight 1 three times out of four,
 * and every queue is still asked each time.
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
 * Appends the whole FETCH line. Queues whose place in `with` is false are left
 * out; one at least must stay. Returns as buf_append().
 */
int fetch_order_put(struct fetch_order *o, const bool *with, struct buf *out);

#endif
