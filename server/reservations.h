/*
 * reservations - who holds which job until when.
 *
 * Found by jid. Two jobs may carry one jid; then each has its own reservation
 * and none hides the other. Deadlines are monotonic: a step of the wall clock
 * takes no job away from a worker that is within its time.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_RESERVATIONS_H
#define SERVER_RESERVATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timestamp.h"
#include "server/entry.h"

struct op;

struct reservation {
	struct entry *entry;
	struct reservation *same_jid; /* the next older one, or NULL */
	struct reservation *next_held, **prev_held; /* of one wid */
	int64_t reserved_at; /* wall clock, as the next */
	int64_t enqueued_at;
	struct entry *
	    *undelivered;    /* whose reply is not out; cleared at the end */
	int64_t delay;       /* seconds after a failure; -1: the usual */
	struct op *settling; /* the change under way that ends it, or NULL */
	uint64_t mark;       /* of reservations_mark(); 0: none yet */
	bool cancelled; /* the job is not to run again; the worker is told */
	bool late;      /* on disk the job is in its queue: late_revive() */
	char failed_at[TIMESTAMP_MAX]; /* of the first failure, or "" */
	char wid[];                    /* "": a producer fetched it */
};

struct reservations;

/* Returns NULL when memory is short. */
struct reservations *reservations_new(void);
/* Frees the reservations too, not their entries. Accepts NULL. */
void reservations_free(struct reservations *rs);

size_t reservations_count(const struct reservations *rs);

/*
 * A reservation that is not in force yet. NULL when memory is short. Free
 * with free() if it does not come into force.
 */
struct reservation *reservation_new(struct entry *e, const char *wid);

/*
 * Puts it in force until the deadline (clock_mono()); sets entry->held.
 * Returns 0, or -ENOMEM: then it is neither in force nor freed.
 */
int reservations_add(
    struct reservations *rs, struct reservation *r, int64_t deadline);

/* Ends and frees it; entry->held becomes NULL. reservations_end() leaves it to
 * the caller, as from reservation_new(). */
void reservations_remove(struct reservations *rs, struct reservation *r);
void reservations_end(struct reservations *rs, struct reservation *r);

/*
 * The one of this jid that wid holds, rather one that nothing is settling yet;
 * NULL when it holds none. What a connected worker holds is no other worker's
 * business, but workers speak over connections without a name too, and one
 * may come back under another name: with wid "" it is any, and for any wid it
 * is also a producer's, or that of a worker that is away; of several the
 * oldest. present says whether a worker is connected; NULL: only what wid
 * itself holds.
 */
typedef bool reservations_present(void *ctx, const char *wid);
struct reservation *
reservations_find(const struct reservations *rs, const char *jid, size_t len,
    const char *wid, reservations_present *present, void *ctx);

/* Marks all of this jid that wid holds. */
void reservations_mark(const struct reservations *rs, const char *jid,
    size_t len, const char *wid, uint64_t mark);

/* The newest that this worker holds; next_held leads on. NULL: none. */
struct reservation *
reservations_of(const struct reservations *rs, const char *wid);

/* The entry whose deadline is next, or NULL. */
struct entry *reservations_first(const struct reservations *rs);

/*
 * Every reservation once, in no order: start with *cursor = 0 and r = NULL,
 * then hand in the one before. The set must not change during the walk.
 */
struct reservation *reservations_next(
    const struct reservations *rs, size_t *cursor, struct reservation *r);

/*
 * While a change that settles it is on its way, a reservation cannot expire:
 * the first call names the change, the second (settling failed) lets the
 * deadline count again.
 */
void reservations_settling(
    struct reservations *rs, struct reservation *r, struct op *settling);
void reservations_unsettle(struct reservations *rs, struct reservation *r);

#endif
