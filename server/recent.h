/*
 * recent - jids that were pushed lately, so that a repeated PUSH is one job.
 *
 * A client whose connection broke before the answer pushes again. Kept in
 * memory, in the order of their time; the oldest goes when there are too many.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_RECENT_H
#define SERVER_RECENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum { RECENT_MAX = 1000000 };

struct op;
struct recent;

struct recent_push {
	struct op *op; /* the push under way; NULL: it is on disk */
	/* private */
	TAILQ_ENTRY(recent_push) link;
	int64_t when;
	char jid[];
};

/* window in ns, above 0. Returns NULL when memory is short. */
struct recent *recent_new(int64_t window);
void recent_free(struct recent *r); /* accepts NULL */

/* The push of this jid that is not too long ago; times are clock_mono(). */
struct recent_push *
recent_find(struct recent *r, const char *jid, size_t len, int64_t now);

/*
 * A new one at this time; there must be none that recent_find() finds. NULL
 * when memory is short. It may be dropped with the next call, unless `op` is
 * set by then.
 */
struct recent_push *
recent_add(struct recent *r, const char *jid, size_t len, int64_t when);

void recent_remove(struct recent *r, struct recent_push *p);

/* Forgets all that are on disk. */
void recent_clear(struct recent *r);

#endif
