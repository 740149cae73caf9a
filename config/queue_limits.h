/*
 * queue_limits - how many jobs of a queue may be here at once.
 *
 * For config/settings.c.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_QUEUE_LIMITS_H
#define CONFIG_QUEUE_LIMITS_H

#include "config/reader.h"
#include "config/settings.h"

/* Once the queues are read; n may be NULL. */
void
queue_limits_read(struct reader *r, const struct node *n, struct settings *s);

#endif
