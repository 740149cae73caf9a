/*
 * fetches - FETCH: the first job of the queues asked for, now or soon.
 *
 * A FETCH that finds nothing waits at all its queues at once; the longest
 * waiting one is served first. Whoever asked may vanish at any moment: then
 * the job it would have had goes back to the head of its queue. One that asks
 * for several jobs gets those that are there, one at least, as so many
 * FETCHes one after the other would; they are taken in one commit.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_FETCHES_H
#define SERVER_FETCHES_H

#include <ev.h>
#include <stddef.h>

#include "server/jobs.h"

enum { FETCH_QUEUES_MAX = 1024 };

/* How long a FETCH waits: docs/protocol.md, "FETCH". */
#define FETCH_WAIT 2.0

/* How it ends; unless it was abandoned, with exactly one call of the last
 * three. */
struct fetch_hooks {
	/*
	 * A reserved job, one of those to come. False: it could not be handed
	 * over, and goes back, as do those that are taken but not shown yet.
	 */
	bool (*job)(void *who, struct entry *e, const struct jobs_delivery *d);
	void (*over)(void *who); /* after the last job */
	void (*nothing)(void *who);
	void (*failed)(void *who, const struct err *why);
};

struct fetches;

/* Borrows all; hooks too. NULL: memory is short. */
struct fetches *fetches_new(struct ev_loop *loop, struct jobs *jobs,
    struct queues *queues, const struct fetch_hooks *hooks);
/* Nobody must be waiting. Accepts NULL. */
void fetches_free(struct fetches *fs);

/* What is asked for; borrowed during fetch_start() alone. */
struct fetch_wish {
	const char *const *names;
	const size_t *lens;
	const size_t *limits; /* most jobs from each queue; NULL: no limits */
	size_t nqueues;
	size_t jobs; /* at most; at least 1 */
	const char *wid;
	bool asleep; /* ask no queue, only let the time pass (a quiet worker) */
};

/*
 * Starts a FETCH. Whoever `who` is hears of it later, never before this
 * returns. Returns NULL when memory is short.
 */
struct fetch;
struct fetch *
fetch_start(struct fetches *fs, const struct fetch_wish *wish, void *who);

/* Whoever asked is gone: nothing more is said to it. */
void fetch_abandon(struct fetch *f);

/*
 * Ends a waiting fetch with `nothing`, one that is being served when nothing
 * comes of it; for shutdown, and for workers that want no more.
 */
void fetch_give_up(struct fetch *f);

/*
 * A job is about to come into this queue, which is empty: as `awaited` in
 * jobs_hooks. False too when it would come before one that is to be first.
 */
bool fetches_claim(struct fetches *fs, struct queue *q, struct jobs_waiter *w);

/* There may be something for those who wait at this queue. */
void fetches_serve(struct fetches *fs, struct queue *q);

#endif
