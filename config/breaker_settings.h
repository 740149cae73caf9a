/*
 * breaker_settings - when a handler is left alone because it does not work.
 *
 * For config/handler_rows.c and config/handler.c.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_BREAKER_SETTINGS_H
#define CONFIG_BREAKER_SETTINGS_H

#include "config/field.h"
#include "config/settings.h"

/* Rows into a struct handler_draft. */
extern const struct field breaker_fields[];

/* A FIELD_OTHER decoder into an int64_t: a percentage, 0 for off. */
void breaker_settings_share(
    struct reader *r, const struct node *n, const char *name, void *to);

/* Complains when one setting contradicts another. prefix is "jobs.NAME.". */
void breaker_settings_check(
    struct reader *r, const char *prefix, const struct handler *h);

#endif
