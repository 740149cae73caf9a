/*
 * http_settings - where the supervisor answers for its health.
 *
 * For config/settings.c.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_HTTP_SETTINGS_H
#define CONFIG_HTTP_SETTINGS_H

#include "config/field.h"
#include "config/settings.h"

/* Rows into a struct settings. */
extern const struct field http_settings_fields[];

/*
 * Complains of an address that is no number, of one that others can reach
 * without http.public, and of the latter without an address. http is the mapping; NULL: none was given.
 */
void http_settings_check(
    struct reader *r, const struct node *http, struct settings *s);

#endif
