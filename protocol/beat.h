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

/* A worker has at most so many jobs; further jids are passed over. */
enum { BEAT_JIDS_MAX = 10000 };

struct beat_jids {
	char **names; /* owned, as each of them */
	size_t count;
};

/* What a worker is told. The jids only where EXTENSION_CANCEL was offered. */
struct beat_reply {
	enum worker_state state;
	struct beat_jids cancel; /* jobs that somebody wants ended */
	struct beat_jids lost;   /* jobs that this worker holds no more */
};

/* Appends the reply: "+OK", or a bulk {"state":"quiet","cancel":[...]}. */
int beat_put_reply(struct buf *out, const struct beat_reply *reply);

/*
 * The text of the reply, simple or bulk: "OK", or JSON with at least one of
 * "state", "cancel", "lost". Without a state it is WORKER_RUNNING; elements
 * that are no jids are passed over. Returns 0 and the caller owns *reply
 * (beat_reply_clear()); -EINVAL or -ENOMEM and nothing to clear.
 */
int beat_read_reply(const char *text, size_t len, struct beat_reply *reply);
void beat_reply_clear(struct beat_reply *reply);

#endif
