/*
 * control - orders over a local socket, and let nobody linger.
 *
 * One request a connection: a line, whose answer are lines. At most
 * CONTROL_PEERS of them: one more ends the oldest that has not sent its
 * request, or is turned away. What a peer can hold is a line of its own for
 * CONTROL_PATIENCE, an answer that it does not take for as long, or, when it
 * stays to hear more, CONTROL_STREAM_MAX for CONTROL_STREAM_PATIENCE; lines
 * above that are left out, and it is told how many. Who may not give orders is
 * told so and nothing else. What a request means is not known here.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "supervisor/control_request.h"
#include "supervisor/control_socket.h"

enum {
	CONTROL_PEERS = 32,
	CONTROL_ANSWER_MAX = 16 * 1024 * 1024, /* bytes of one answer */
	CONTROL_HELD_MAX = 32 * 1024 * 1024,   /* of all not yet taken */
	CONTROL_STREAM_MAX = 256 * 1024,
	CONTROL_LAST_MAX = 4096, /* bytes of a last line */
};

/* Seconds without progress. */
#define CONTROL_PATIENCE        10.
#define CONTROL_STREAM_PATIENCE 600.

struct control;
struct control_peer;

/*
 * A request; borrowed during the call, which answers with control_line() and
 * control_last(), or has control_stay() called and answers as things happen.
 */
typedef void control_asked(
    void *ctx, struct control_peer *p, const struct control_request *q);

/* socket, ctx are borrowed, its guests taken. NULL when memory is short. */
struct control *control_new(struct ev_loop *loop, struct control_socket *socket,
    control_asked *asked, void *ctx);

/* Ends all conversations; the socket stays. Accepts NULL. */
void control_free(struct control *c);

/*
 * A line of the answer, with its line end. False when it has no room: it is
 * left out then, and a peer that stays will be told how many were. Never
 * calls back.
 */
bool control_line(struct control_peer *p, const char *bytes, size_t len);

/* The last line, which always has room; p is not to be used any more. */
void control_last(struct control_peer *p, const char *bytes, size_t len);

/*
 * The peer stays. gone is called once, when it has hung up or was too slow:
 * then p is not to be used any more. Not after control_last().
 */
void control_stay(struct control_peer *p, void (*gone)(void *data), void *data);

/* "uid 1000, pid 4711": who it is, for the log. Valid as long as p. */
const char *control_who(const struct control_peer *p);

/* Sends what can be sent without waiting: the process is about to end. */
void control_flush(struct control *c);

/*
 * The socket for a successor, with who has not said anything yet. Still ours,
 * should there be none.
 */
void control_save(const struct control *c, struct state_writer *w);

/* For tests. */
size_t control_peers(const struct control *c);

#endif
