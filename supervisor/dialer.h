/*
 * dialer - one attempt to reach the server: its addresses one after the
 * other, then TLS if its URL wants that.
 *
 * Each step has a time limit. What is said over the wire is for the client.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DIALER_H
#define SUPERVISOR_DIALER_H

#include <ev.h>

#include "base/err.h"
#include "protocol/stream.h"
#include "protocol/tls.h"
#include "protocol/url.h"

/* Seconds for a connection, and again for the TLS handshake. */
#define DIALER_PATIENCE 10.

struct dialer;

/*
 * Called once, on the loop, never before dialer_start() has returned. stream
 * is owned: stream_close(); NULL when there is none, and why says so. The
 * dialer is freed when done returns.
 */
typedef void dialer_done(void *ctx, struct stream *stream, const char *why);

/*
 * url is borrowed until the end, tls is held (NULL: there is none, and a URL
 * that wants it cannot be reached). Returns NULL when memory or threads are
 * short.
 */
struct dialer *dialer_start(struct ev_loop *loop, const struct url *url,
    struct tls *tls, dialer_done *done, void *ctx);

/* Gives up: done will not be called. Accepts NULL. */
void dialer_cancel(struct dialer *d);

#endif
