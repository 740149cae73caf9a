/*
 * web - HTTP on a port of its own, served on the server's loop.
 *
 * libmicrohttpd reads and writes; its epoll descriptor is one of the loop's,
 * so that pages are made from the server's parts without a lock. Ceilings:
 * connections, bytes of a request's head, the time from one answer to the
 * next, and the bytes of answers that nobody has taken yet. It speaks TLS
 * where the clients do, by the library's own means, unless web.plain is set.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_WEB_WEB_H
#define SERVER_WEB_WEB_H

#include <stddef.h>

#include "base/err.h"

struct server;
struct web;

enum {
	WEB_CONNS = 64,           /* one more ends the one idle for longest */
	WEB_HEAD_MAX = 32 * 1024, /* a request and what is made of it */
	WEB_HELD_MAX = 64 << 20,  /* answers of all connections */
	WEB_BODY_MAX = 32 << 20,  /* one answer */
};

/* A connection that has not got an answer for so long is closed; seconds. */
#define WEB_PATIENCE 15.0

/*
 * Listens at the settings' web_listen, which is not NULL. s is borrowed.
 * Returns NULL with *e set.
 */
struct web *web_open(struct server *s, struct err *e);

/*
 * The certificate has been read again: new connections get it, and those that
 * are open end, after the answer that is on its way. Returns 0, or with *e set a
 * negative errno, and then nothing has changed.
 */
int web_renew(struct web *w, struct err *e);

/* Accepts NULL. */
void web_close(struct web *w);

size_t web_connections(const struct web *w);

#endif
