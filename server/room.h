/*
 * room - whether there is room for another job: the ceilings on how many
 * there may be and on what they take of the disk, and what is left of that.
 *
 * What is left is as it was at a commit. So what has been let in since is
 * remembered, from room_take() until the disk was looked at after it was stored.
 * And so is the size of the largest job: to hand it out its row is written once
 * more.
 *
 * What makes room (ACK, FETCH, FAIL, MUTATE) is always let through.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_ROOM_H
#define SERVER_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "server/store/store.h"

/* So long a push counts that the disk had too little left for; ns. */
#define ROOM_LATELY INT64_C(60000000000)

struct server;

/* What a command brings. */
struct room_need {
	size_t jobs;
	size_t bytes;   /* of the disk, all together: store_bytes_of() */
	size_t largest; /* of these, one */
};
void room_count(struct room_need *n, size_t job);

/* Bytes that were answered, and the commits of the store then. */
struct room_answered {
	int64_t bytes;
	uint64_t commits;
};

/* What a server remembers of it; blank at the start. */
struct room {
	size_t largest;     /* what a job took, since the start */
	int64_t unanswered; /* bytes that were let in and are not on disk */
	struct room_answered older, newer; /* that the last look may not know */
	struct store_change look; /* a commit, for the look that follows it */
	bool looking;
	int64_t
	    looked_anew; /* clock_mono(); when that was given to the store */

	int64_t looked;   /* clock_mono(); when `above` was found out */
	bool above;       /* jobs take more than limits.disk */
	const char *full; /* why the disk takes no more; NULL: it does */
	uint64_t refused;
	uint64_t too_large; /* jobs */

	struct room_need missed; /* the last that too little was left for */
	int64_t missed_at;       /* clock_mono(); 0: there was none */
};

/*
 * 0 when so much more may come; else -ENOSPC with *e set, in words for the
 * client, and counted. Looks at limits.disk at most ten times a second.
 */
int room_for(struct server *s, const struct room_need *n, struct err *e);

/*
 * What the last push that was refused because the disk has too little left
 * would take of it, in bytes; 0 when that was not within ROOM_LATELY, or would
 * be let in by now.
 */
size_t room_missed(struct room *r, const struct store *store);

/* A job of so many bytes was given to the store; it is on disk, or is not. */
void room_take(struct server *s, size_t job);
void room_answer(struct server *s, size_t job);

/* The same for the size of one job: -E2BIG. */
int room_for_size(struct server *s, size_t bytes, struct err *e);

#endif
