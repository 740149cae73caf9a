/*
 * heartbeat - BEAT on time; hear what the server wants of this worker.
 *
 * A worker that is silent for 60 s is forgotten by the server, which then
 * closes all its conversations. "unknown worker" is answered with a new
 * handshake under the same wid: at once, but after a rest when the server did
 * not know it from the beginning of the conversation.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HEARTBEAT_H
#define SUPERVISOR_HEARTBEAT_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/beat.h"
#include "supervisor/client.h"

struct heartbeat;

struct heartbeat_hooks {
	/* The first beat of a conversation was accepted. */
	void (*alive)(void *ctx);
	/* The server says quiet or terminate; may be called again and again. */
	void (*told)(void *ctx, enum worker_state state);
	/* A job of ours is to end: lost when the server has given it away
	 * already, else because somebody wants that. jid is borrowed. */
	void (*taken)(void *ctx, const char *jid, bool lost);
};

/* period in ns; all pointers borrowed. Returns NULL when memory is short. */
struct heartbeat *
heartbeat_new(struct ev_loop *loop, struct client *client, const char *wid,
    int64_t period, const struct heartbeat_hooks *hooks, void *ctx);

/* From the next beat on. */
void heartbeat_set_period(struct heartbeat *h, int64_t period);

/* Accepts NULL. */
void heartbeat_free(struct heartbeat *h);

/* To be called when the client's conversation is up, and when it is lost. */
void heartbeat_up(struct heartbeat *h);
void heartbeat_down(struct heartbeat *h);

/* Whether the server has accepted a beat in this conversation. */
bool heartbeat_alive(const struct heartbeat *h);

/* What the server shall be told from now on; told at once if possible. */
void heartbeat_say(struct heartbeat *h, enum worker_state state);

#endif
