/*
 * web_settings - where the server answers over HTTP, and to whom.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_WEB_SETTINGS_H
#define CONFIG_WEB_SETTINGS_H

#include <stdbool.h>

#include "config/field.h"
#include "config/server_settings.h"

/* Rows into a struct server_settings. */
extern const struct field web_settings_fields[];

/*
 * Complains when others can reach web.listen, nothing is asked of them, and
 * web.public does not say so. web is the mapping; NULL: none was given.
 */
void web_settings_check(
    struct reader *r, const struct node *web, const struct server_settings *s);

#endif
