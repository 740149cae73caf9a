/*
 * resolve - a host's addresses, looked up without stopping the loop.
 *
 * A numeric address is read on the spot. A name is looked up in a thread that
 * lives as long as the question: getaddrinfo(3) may wait for many seconds.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_RESOLVE_H
#define SUPERVISOR_RESOLVE_H

#include <ev.h>
#include <netdb.h>
#include <stdint.h>

struct resolve;

/*
 * Called once, on the loop, never before resolve_start() has returned. list
 * is owned: freeaddrinfo(); NULL when there is no address, and why says so.
 * The question is freed when done returns.
 */
typedef void resolve_done(void *ctx, struct addrinfo *list, const char *why);

/* Returns NULL when memory or threads are short. host is copied. */
struct resolve *resolve_start(struct ev_loop *loop, const char *host,
    uint16_t port, resolve_done *done, void *ctx);

/* Forgets the question: done will not be called. Accepts NULL. */
void resolve_cancel(struct resolve *r);

#endif
