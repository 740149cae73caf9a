/*
 * beat - the heartbeat, and what a worker is told in answer.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_BEAT_H
#define PROTOCOL_BEAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A worker's state moves to the right, never back. */
enum worker_state {
	WORKER_RUNNING,
	WORKER_QUIET,     /* fetches no more; finishes what it has */
	WORKER_TERMINATE, /* as quiet, and ends within 30 s */
};

/* "running", "quiet", "terminate". */
const char *worker_state_name(enum worker_state s);

/* Appends the whole BEAT line; a running state is not mentioned. */
int beat_put(
    struct buf *out, const char *wid, int64_t rss_kb, enum worker_state state);

struct beat {
	char *wid;               /* owned: free() */
	int64_t rss_kb;          /* 0 when not told */
	enum worker_state state; /* unknown names count as running */
};

/* BEAT's argument. 0; -EINVAL or -ENOMEM and nothing to free. */
int beat_parse(const char *text, size_t len, struct beat *b);

/* Appends the reply: "+OK", or a bulk {"state":"quiet"}. */
int beat_put_reply(struct buf *out, enum worker_state state);

/*
 * The text of the reply, simple or bulk: "OK", or JSON with a "state".
 * Returns 0 and *state (WORKER_RUNNING for OK), or -EINVAL.
 */
int beat_read_reply(const char *text, size_t len, enum worker_state *state);

#endif
