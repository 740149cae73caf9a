/*
 * stream - bytes to and from the other end of a socket, in plain text or TLS.
 *
 * Never waits: where it would have to, it says so, and stream_events() says
 * for what. So it fits an event loop as well as poll(2), at both ends of the
 * wire. The socket must be non-blocking. SIGPIPE is never raised.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_STREAM_H
#define PROTOCOL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "protocol/tls.h"

enum { STREAM_READABLE = 1, STREAM_WRITABLE = 2 };

struct stream;

/*
 * Take fd, even on failure. stream_client() is the end that dialled host,
 * which is copied; tls is held meanwhile. Return NULL with *e set.
 */
struct stream *stream_plain(int fd, struct err *e);
struct stream *
stream_client(int fd, struct tls *tls, const char *host, struct err *e);
struct stream *stream_server(int fd, struct tls *tls, struct err *e);

/*
 * Agrees with the other end on how to talk. Returns 0 when that is done (at
 * once in plain text), -EAGAIN, or a negative errno with *e set: -EPERM for a
 * certificate that is not believed, at either end.
 */
int stream_shake(struct stream *s, struct err *e);

/*
 * As recv(2) and send(2): bytes moved; 0 at the end, from stream_read();
 * -EAGAIN; another negative errno with *e set. To be called after
 * stream_shake() has returned 0.
 */
ssize_t stream_read(struct stream *s, void *at, size_t room, struct err *e);
ssize_t
stream_write(struct stream *s, const void *bytes, size_t len, struct err *e);

/* Bytes have left the socket and wait here: no event will tell of them. */
bool stream_pending(const struct stream *s);

/* What has to happen at the socket before it is worth trying again. */
int stream_events(const struct stream *s, bool reading, bool writing);

/* Whether the other end's first bytes were no TLS, where it was expected. */
bool stream_is_plain_peer(const struct stream *s);

/* Whether they were TLS; false before there are any, and in plain text. */
bool stream_heard_tls(const struct stream *s);

/* Borrowed. */
int stream_fd(const struct stream *s);

/* Says farewell, as far as that needs no waiting; once. The socket stays. */
void stream_bye(struct stream *s);

/* stream_bye(), close(2). Accepts NULL. */
void stream_close(struct stream *s);

#endif
