/*
 * server_url - where the server is.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_SERVER_URL_H
#define CLI_SERVER_URL_H

#include "base/err.h"
#include "config/settings.h"
#include "protocol/url.h"

/*
 * Reads text; or, when that is NULL, FAKTORY_PROVIDER and FAKTORY_URL.
 * Returns 0 or a negative errno with *e set.
 */
int server_url(const char *text, struct url *u, struct err *e);

/* The same for a configuration; the message names file, line and column. */
int server_url_of(const struct settings *s, struct url *u, struct err *e);

#endif
