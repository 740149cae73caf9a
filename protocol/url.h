/*
 * url - where the server is: tcp://[user][:password]@host[:port].
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_URL_H
#define PROTOCOL_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { URL_PORT_DEFAULT = 7419, URL_PART_MAX = 255 };

struct url {
	bool tls; /* tcp+tls:// */
	char host[URL_PART_MAX +
	    1]; /* without the brackets of an IPv6 address */
	uint16_t port;
	char user[URL_PART_MAX + 1]; /* "" when absent; percent-decoded */
	bool has_password;
	char password[URL_PART_MAX + 1];
};

/*
 * Messages never repeat the password: they quote the URL as url_show() does.
 * Returns 0, or -EINVAL with *e set.
 */
int url_parse(const char *text, struct url *u, struct err *e);

/* "tcp://host:port", an IPv6 host in brackets; never user or password. */
enum { URL_SHOWN_MAX = URL_PART_MAX + 32 };
void url_show(const struct url *u, char out[URL_SHOWN_MAX]);

/*
 * FAKTORY_PROVIDER names the variable that holds the URL; else FAKTORY_URL;
 * else tcp://localhost:7419. lookup is getenv(3) or a test's. The message
 * names the variable at fault. Returns 0, or -EINVAL with *e set.
 */
int url_from_environment(
    const char *(*lookup)(const char *name), struct url *u, struct err *e);

#endif
