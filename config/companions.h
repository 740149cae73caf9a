/*
 * companions - settings of a job that mean nothing without another one.
 *
 * Alone they would be taken in silence and do nothing, and whoever wrote them
 * would find out by a job that went wrong.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_COMPANIONS_H
#define CONFIG_COMPANIONS_H

#include "config/reader.h"
#include "config/settings.h"

/* Complains of each that the job itself sets; h: with what it inherits. */
void companions_check_job(struct reader *r, const struct node *job,
    const char *prefix, const struct handler *h);

/* The same below defaults: (NULL: there are none), if no job has use for it. */
void companions_check_defaults(
    struct reader *r, const struct node *defaults, const struct settings *s);

#endif
