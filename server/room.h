/*
 * room - whether there is room for another job: the ceilings on how many
 * there may be and on what they take of the disk, and what is left of that.
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

struct server;

/* What a server remembers of it; blank at the start. */
struct room {
	int64_t looked;   /* clock_mono(); when `above` was found out */
	bool above;       /* jobs take more than limits.disk */
	const char *full; /* why the disk takes no more; NULL: it does */
	uint64_t refused;
	uint64_t too_large; /* jobs */
};

/*
 * 0 when `jobs` more may come; else -ENOSPC with *e set, in words for the
 * client, and counted. Looks at the disk at most ten times a second.
 */
int room_for(struct server *s, size_t jobs, struct err *e);

/* The same for the size of one job: -E2BIG. */
int room_for_size(struct server *s, size_t bytes, struct err *e);

#endif
