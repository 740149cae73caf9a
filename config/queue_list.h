/*
 * queue_list - queues: a list in strict order, or a mapping of weights.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_QUEUE_LIST_H
#define CONFIG_QUEUE_LIST_H

#include "config/reader.h"

enum { QUEUE_LIST_MAX = 1000, QUEUE_WEIGHT_MAX = 1000, QUEUE_NAME_MAX = 255 };

/* Whether a queue can be called so; the server takes no other names. */
bool queue_name_fits(const char *text);

/* A FIELD_OTHER decoder into a struct settings that has no queues yet. */
void queue_list_decode(
    struct reader *r, const struct node *n, const char *name, void *settings);

#endif
