/*
 * news - what each worker is still to be told: jobs to end, jobs lost.
 *
 * Kept on disk too, for a worker may be away when the server restarts. Each
 * has a time after which it means nothing any more; then it goes untold.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_NEWS_H
#define SERVER_NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/beat.h"
#include "server/store/store.h"

/* Of all workers together; further ones are not kept. */
enum { NEWS_MAX = 100000 };

struct news;

/* Returns NULL when memory is short. */
struct news *news_new(void);
void news_free(struct news *ns); /* accepts NULL */

/*
 * One found at start: kind is NOTE_CANCEL or NOTE_LOST, until a wall-clock
 * time. 0, also for one that is known; -ENOMEM.
 */
int news_load(struct news *ns, enum store_note kind, const char *wid,
    const char *jid, int64_t until);

/* From now on changes go to this store (borrowed). */
void news_start(struct news *ns, struct store *store);

/*
 * Puts one on disk, in the batch that is open; it counts once it is there.
 * done, which may be NULL, hears of it with 0 or a negative errno. Returns 0;
 * -ENOMEM or -ENOSPC (NEWS_MAX), and done is not called.
 */
typedef void news_done(void *ctx, int result, const struct err *why);
int news_post(struct news *ns, enum store_note kind, const char *wid,
    const char *jid, int64_t until, news_done *done, void *ctx);

/* Forgets one, here and on disk, if there is such a one. */
void news_drop(
    struct news *ns, enum store_note kind, const char *wid, const char *jid);

/* Whether this worker has lost jobs that it does not know of. */
bool news_of_loss(const struct news *ns, const char *wid);

/*
 * Moves what this worker is to be told into the lists of a reply, as much as
 * one reply takes. The caller clears the reply (beat_reply_clear()).
 */
void news_tell(struct news *ns, const char *wid, struct beat_reply *reply);

/*
 * Forgets those whose time is over, of some workers; to be called now and
 * then. `now` is wall clock.
 */
void news_expire(struct news *ns, int64_t now);

/* Forgets all, in memory alone: after a STORE_CLEAR. */
void news_clear(struct news *ns);

size_t news_count(const struct news *ns);

#endif
