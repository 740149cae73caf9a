/*
 * gather - when to close a batch: at once, or a moment later with more in it.
 *
 * Clients that wait for their answers come back all at once when a batch has
 * been answered. A commit that starts before they are back makes them wait
 * for one that began without them, and then for their own: two groups take
 * turns, and each commit serves half of the clients. So, when several are at
 * it, the next batch is held open for a moment that is short beside a commit.
 * When holding brought nobody in (clients far away, or slow ones) it is not
 * done for a while. A lone client never waits.
 *
 * Pure: the caller tells what happens and what time it is.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_GATHER_H
#define SERVER_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gather {
	size_t asked;     /* commands in the open batch */
	size_t in_flight; /* commands in the batch that is being written */
	size_t crowd;     /* so many seem to be at it */
	int64_t sent_at;
	int64_t commit; /* ns that a commit takes, smoothed */
	int64_t until;  /* hold the open batch no longer; 0: not holding */
	size_t had;     /* asked, when holding began */
	int distrust;   /* batches for which holding is not tried */
};

/* A command has put its change into the open batch. */
void gather_asked(struct gather *g);

/* Whether the open batch should wait, at this moment, for more. */
bool gather_holds(struct gather *g, int64_t now);

/* The open batch was sent; the one that was sent has been answered. */
void gather_sent(struct gather *g, int64_t now);
void gather_answered(struct gather *g, int64_t now);

#endif
