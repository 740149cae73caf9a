/*
 * workers - who is alive, by heartbeat, and what each was told to do.
 *
 * A worker is a process named by its wid; it may hold many connections. The
 * record exists while one of them is open.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_WORKERS_H
#define SERVER_WORKERS_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/beat.h"
#include "protocol/hello.h"

/* A worker that is silent for so long is forgotten; seconds. */
#define WORKER_SILENCE 60.0

struct worker {
	char *wid; /* owned, as the next three */
	char *hostname;
	char **labels;
	size_t nlabels;
	int64_t pid;
	int64_t rss_kb;
	int64_t started;   /* wall clock */
	int64_t last_beat; /* wall clock */
	int64_t heard;     /* the same, monotonic */
	enum worker_state state;
	unsigned extensions; /* that it acts on; of enum extension */
	size_t connections;
	/* private */
	bool parted; /* a connection ended by our doing */
	struct workers *all;
	ev_timer silence;
};

/* How a connection ended. */
enum parting {
	PARTING_HOST, /* its host has closed it */
	PARTING_END,  /* likewise, after END */
	PARTING_OURS, /* we have closed it */
};

struct workers;

struct workers_hooks {
	/* It has not beaten; close its connections, which ends it. */
	void (*silent)(void *ctx, struct worker *w);
	/*
	 * Its last connection is gone without END, and all that went since the
	 * last HELLO were closed by its host: it died.
	 */
	void (*died)(void *ctx, const struct worker *w);
	/* The same, but some were closed by us, or by a network that failed. */
	void (*lost)(void *ctx, const struct worker *w);
	void *ctx;
};
struct workers *
workers_new(struct ev_loop *loop, const struct workers_hooks *hooks);
void workers_free(struct workers *ws); /* accepts NULL */

/*
 * A connection of h->wid has said HELLO. Takes hostname and labels out of h
 * when it is the first. NULL: memory is short. workers_leave() for each.
 */
struct worker *workers_join(struct workers *ws, struct hello *h);
void workers_leave(struct worker *w, enum parting how);

/* NULL: unknown. */
struct worker *workers_find(const struct workers *ws, const char *wid);

/* Counts a beat; the state only moves forward. */
void worker_beat(struct worker *w, const struct beat *b);

/* What somebody wants of it, as with a beat. */
void worker_tell(struct worker *w, enum worker_state state);

bool worker_has_label(const struct worker *w, const char *label);

/* Every worker once, in no order; start with *cursor = 0. */
struct worker *workers_next(const struct workers *ws, size_t *cursor);

size_t workers_count(const struct workers *ws);
uint64_t workers_reaped(const struct workers *ws);

#endif
