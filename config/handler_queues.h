/*
 * handler_queues - which queues bring the jobs of a handler.
 *
 * A FETCH is for queues, not for jobtypes. Only where the file says which
 * jobtypes come from a queue can that queue be left alone for them.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_HANDLER_QUEUES_H
#define CONFIG_HANDLER_QUEUES_H

#include "config/field.h"
#include "config/settings.h"

enum { HANDLER_QUEUES_MAX = 100 };

/* A FIELD_OTHER decoder into a struct handler; what it had is replaced. */
void handler_queues_decode(
    struct reader *r, const struct node *n, const char *name, void *handler);

/*
 * Complains of queues that the supervisor does not work on, and notes which
 * of those that it does are named by a handler.
 */
void handler_queues_check(struct reader *r, struct settings *s);

/* Accepts a handler without. */
void handler_queues_clear(struct handler *h);

#endif
