/*
 * listener - the address where clients knock.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <ev.h>
#include <stdint.h>

#include "base/err.h"

struct listener;

/* Called for each new connection; takes fd (non-blocking, close-on-exec). */
typedef void listener_accept(void *ctx, int fd, const char *peer);

/*
 * Listens at "host:port", an IPv6 host in brackets, an empty host meaning
 * every address; port 0 lets the kernel choose. Returns NULL with *e set.
 */
struct listener *listener_open(struct ev_loop *loop, const char *address,
    listener_accept *accept, void *ctx, struct err *e);

/* The same with a socket that listens already, which is taken. */
struct listener *listener_adopt(struct ev_loop *loop, int fd,
    listener_accept *accept, void *ctx, struct err *e);

/* What it really listens at. Borrowed. */
const char *listener_address(const struct listener *l);
uint16_t listener_port(const struct listener *l);

/* Accepts NULL. */
void listener_close(struct listener *l);

#endif
