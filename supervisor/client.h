/*
 * client - one conversation with the server, kept alive.
 *
 * Dials, shakes hands, sends requests and hands each reply to the one who
 * asked, in order. A lost conversation is taken up again by itself, after
 * 0.5 s at first and at most 30 s apart, for ever. What a reply means, and
 * whether to ask once more, is for the asker.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CLIENT_H
#define SUPERVISOR_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "protocol/resp.h"
#include "supervisor/identity.h"

/* Seconds without a sign of life while something is waited for. */
#define CLIENT_PATIENCE 10.

enum {
	CLIENT_BULK_MAX = 64 * 1024 * 1024, /* bytes of one reply */
	CLIENT_OUT_MAX = 32 * 1024 * 1024,  /* bytes waiting to be sent */
};

struct client;

struct client_hooks {
	/* The handshake is done: requests may be sent. */
	void (*up)(void *ctx);
	/* A conversation or an attempt at one ended; unanswered requests have
	 * heard of it. */
	void (*down)(void *ctx);
};

/*
 * who, hooks and ctx are borrowed; nothing happens before client_start().
 * name tells the conversations apart in the log; loud is the level at which
 * its losses are told. Returns NULL when memory is short.
 */
struct client *
client_new(struct ev_loop *loop, const struct identity *who, const char *name,
    enum log_level loud, const struct client_hooks *hooks, void *ctx);

/* Tells nobody, not even the server. Not from a hook or a reply. Accepts NULL.
 */
void client_free(struct client *c);

/* Dials, unless it already does or has. */
void client_start(struct client *c);

/* Says END when that is possible without waiting, and rests for good. */
void client_end(struct client *c);

/* The same without END: to the server it is as if it had been lost. */
void client_hang_up(struct client *c);

/* Gives up this conversation and dials a new one at once. */
void client_redial(struct client *c, const char *why);

/* Gives up this conversation and dials a new one after a rest. */
void client_give_up(struct client *c, const char *why);

/* Dials at once what rests or has not begun; leaves alone what is at it. */
void client_hurry(struct client *c);

bool client_ready(const struct client *c);

/* Not wanted: before client_start(), after client_end(). */
bool client_idle(const struct client *c);

/* What the server of this conversation offers (enum extension); 0 before its
 * greeting. */
unsigned client_extensions(const struct client *c);

/*
 * Called once per request: with the reply, borrowed during the call, or with
 * NULL when the conversation was lost before it came.
 */
typedef void client_reply(void *ctx, const struct resp *reply);

/*
 * Sends a whole command line. Replies come in the order of requests.
 * Returns 0; -ENOTCONN when it is not ready, -ENOBUFS when too much is
 * waiting already, -ENOMEM; then done will not be called.
 */
int client_ask(struct client *c, const char *line, size_t len,
    client_reply *done, void *ctx);

#endif
