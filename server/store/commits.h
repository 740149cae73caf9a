/*
 * commits - changes on their way through the store's thread and back.
 *
 *	       commits_give()       the thread        commits_take()
 *	 list --------------> given ------------> written --------> a batch
 *	                        ^                    |
 *	                        +--- what did not fit into one
 *
 * The thread never waits for the loop while something is given, as long as
 * there is a batch to put it in: as soon as one commit is done it takes all
 * that has come meanwhile into the next. So the busier the disk is, the more
 * clients share a commit. Without work it tidies up (writer_idle()).
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_COMMITS_H
#define SERVER_STORE_COMMITS_H

#include <ev.h>
#include <stdint.h>

#include "base/err.h"
#include "server/store/arena.h"
#include "server/store/store.h"
#include "server/store/writer.h"

/* What was tried to be written in one commit. */
struct batch {
	struct store_change *first;
	struct store_change *rest; /* the first that was left out; NULL: none */
	struct store_change **end; /* where the list went on */
	struct arena *arena;       /* owned; what `taken` points into */
	int64_t took;              /* ns */
	int64_t used_bytes;        /* of the database */
	int result;                /* 0, or a negative errno with `why` */
	struct err why;
	struct batch *next; /* written after it; NULL: none */
};

struct commits;

/* Without a thread. Returns NULL when memory is short. */
struct commits *commits_new(void);

/*
 * Starts the thread, which alone uses w from now on. heard is sent whenever a
 * batch was written. All borrowed until commits_end(). Returns 0, or a negative
 * errno with *e set.
 */
int commits_start(struct commits *c, struct writer *w, struct ev_loop *loop,
    ev_async *heard, struct err *e);

/* A list of changes, its last `next` at *end; they are written in order. */
void commits_give(
    struct commits *c, struct store_change *first, struct store_change **end);

/*
 * All that is written and not taken, the oldest first; NULL: none. Each goes
 * back by commits_heard(). The second one waits until there is something.
 */
struct batch *commits_take(struct commits *c);
struct batch *commits_await(struct commits *c);

/* Everybody was told; its arena is empty. b may be used for the next. */
void commits_heard(struct commits *c, struct batch *b);

/* Ends the thread, if it runs, once what is given is written. */
void commits_end(struct commits *c);

/* After commits_end(), or without a start. Accepts NULL. */
void commits_free(struct commits *c);

#endif
