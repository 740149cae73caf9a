/*
 * unknown - what is done with a job of a jobtype that the file does not name.
 *
 * For config/settings.c.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_UNKNOWN_H
#define CONFIG_UNKNOWN_H

#include "config/field.h"
#include "config/settings.h"

/* A FIELD_OTHER decoder into a struct settings. */
void unknown_decode(
    struct reader *r, const struct node *n, const char *name, void *settings);

/*
 * Finds the handler that was named, once the jobs are read; complains when
 * there is none. at is where that stood.
 */
void unknown_check(struct reader *r, struct mark at, struct settings *s);

#endif
