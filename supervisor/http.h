/*
 * http - answer GET and HEAD for those who watch, and let nobody linger.
 *
 * One answer a connection. At most HTTP_CONNS of them: one more ends the
 * oldest that has not sent its request. What a peer can hold is HTTP_HEAD_MAX
 * of its own bytes for 10 s, and an answer for another 10 s; answers that wait
 * to be taken hold HTTP_HELD_MAX together, what is above gets 503.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HTTP_H
#define SUPERVISOR_HTTP_H

#include <ev.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	HTTP_CONNS = 64,
	HTTP_BODY_MAX = 16 * 1024 * 1024,
	HTTP_HELD_MAX = 32 * 1024 * 1024,
};

/* Seconds for the request to arrive, and for the answer to be taken. */
#define HTTP_PATIENCE 10.

struct http;

struct http_answer {
	int status;       /* 404 at first */
	const char *type; /* of the body; static; plain text at first */
	struct buf *body; /* empty at first; at most HTTP_BODY_MAX */
};

/* path is borrowed during the call, and without a query. */
typedef void
http_respond(void *ctx, const char *path, size_t len, struct http_answer *a);

/*
 * Listens on a numeric address ("127.0.0.1:0") and logs which one it is.
 * Returns NULL with *e set. ctx is borrowed.
 */
struct http *http_new(struct ev_loop *loop, const char *address,
    http_respond *respond, void *ctx, struct err *e);

/* Ends all connections. Accepts NULL. */
void http_free(struct http *h);

/* For tests: the port, and the connections that are open. */
unsigned http_port(const struct http *h);
size_t http_conns(const struct http *h);

#endif
