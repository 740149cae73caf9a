/*
 * conn_wire - a connection's bytes: in, out, and what must happen at its
 * socket before there are more.
 *
 * For server/conn.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_CONN_WIRE_H
#define SERVER_CONN_WIRE_H

#include "server/conn.h"

enum {
	CONN_READ_WANT = 64 * 1024,
	CONN_READ_AHEAD = 64 * 1024, /* while a command is being served */
};

/* Takes fd. In TLS when the server has certificates. Returns 0 or -ENOMEM. */
int conn_wire_open(struct conn *c, int fd);

/* Says farewell and closes; what has been answered still arrives. */
void conn_wire_close(struct conn *c);

/* A command is being served, or an answer is on its way out. */
bool conn_is_busy(const struct conn *c);

/* The io watcher's callback, and what makes the watcher match the need. */
void conn_wire_on_io(struct ev_loop *loop, ev_io *w, int revents);
void conn_wire_watch(struct conn *c);

/* Whether there may be bytes, and they are wanted. */
bool conn_wire_may_read(const struct conn *c);

/* Move what can be moved now. An end or a failure closes the connection. */
void conn_wire_read(struct conn *c);
void conn_wire_write(struct conn *c);

/* The socket has ended with this errno; 0: in order. Was it the peer's host? */
void conn_wire_ended(struct conn *c, int error);

/*
 * Goes on with the TLS handshake. Returns 0 when it is done, at once in plain
 * text; -EAGAIN; or another negative errno after the log has heard why, and
 * a client in plain text was told what is spoken here.
 */
int conn_wire_secure(struct conn *c);

/* The handshake took too long: told likewise. */
void conn_wire_late(const struct conn *c);

#endif
