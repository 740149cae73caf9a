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

/* In the order in which they are tried; they may hold passwords. */
struct servers {
	struct url urls[SETTINGS_SERVERS_MAX];
	size_t count;
	bool tls; /* one of them wants it */
};

/* The same for a configuration; the message names file, line and column. */
int
server_urls_of(const struct settings *s, struct servers *found, struct err *e);

#endif
