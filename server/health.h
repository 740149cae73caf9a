/*
 * health - whether what is written still reaches the disk.
 *
 * While nothing else is written, a row of a few bytes is, so that a disk that
 * hangs, is full or was made read-only is known before a client finds out.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include <ev.h>
#include <stdbool.h>

#include "server/store/store.h"

/* Without a commit for so long, one is made; seconds. */
#define HEALTH_PERIOD 5.0
/* Without a good one for so long, something is wrong; seconds. */
#define HEALTH_PATIENCE 15.0

struct health;
struct room;

/* store and room are borrowed. Returns NULL when memory is short. */
struct health *
health_new(struct ev_loop *loop, struct store *store, struct room *room);

/* After store_close(), which may still call back. Accepts NULL. */
void health_free(struct health *h);

enum { HEALTH_REASON_MAX = 640 };

/*
 * NULL while a write has reached the disk lately, the last one did not fail,
 * and there is room for more jobs (store_is_short()) and for what was refused
 * lately (room_missed()); else why not, in `out`.
 */
const char *health_trouble(const struct health *h, char out[HEALTH_REASON_MAX]);

/*
 * Whether the store has not answered for HEALTH_PATIENCE, neither with a
 * commit nor with an error: its disk hangs.
 */
bool health_hangs(const struct health *h);

#endif
