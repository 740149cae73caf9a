/*
 * plan - what a stock server's Redis holds: queues, sets, counters, and keys
 * that are none of these.
 *
 * Every list is a queue whose key is "q:NAME", as 1.10 writes them, or NAME,
 * as servers before it did; a queue may have both. Its name is known from the
 * set "queues", from "paused", or from the list alone: after a FLUSH a stock
 * server pushes to lists that it names nowhere.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_IMPORT_PLAN_H
#define SERVER_IMPORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "server/import/source.h"
#include "server/store/store.h"

enum {
	PLAN_QUEUES_MAX = 100 * 1000,
	PLAN_COUNTERS_MAX = 20 * 1000, /* 27 years of days, twice */
	PLAN_LEFT_SHOWN = 20,
	PLAN_COUNTER_LEN = 32,
};

/* How many jobs there are, how many were set aside, how many are here. */
struct plan_count {
	int64_t there;
	int64_t aside;
	int64_t here;
};

enum plan_layout { LAYOUT_OLD, LAYOUT_NEW, LAYOUTS };

struct plan_queue {
	char *name;
	int64_t sizes[LAYOUTS]; /* of its lists */
	bool paused;
	struct plan_count count;
};

/* In the order in which they are read; each is a sorted set. */
enum plan_set {
	PLAN_WORKING,
	PLAN_SCHEDULED,
	PLAN_RETRIES,
	PLAN_DEAD,
	PLAN_SETS
};

struct plan_counter {
	char name[PLAN_COUNTER_LEN];
	int64_t value;
};

struct plan {
	struct plan_queue **queues; /* by name, in the order of bytes */
	size_t nqueues;
	struct plan_count sets[PLAN_SETS];
	struct plan_counter *counters;
	size_t ncounters;
	char *left[PLAN_LEFT_SHOWN]; /* keys, and members, that are not read */
	size_t nleft;                /* of which so many are kept in left */
};

/* As in Redis, and where its jobs are in our store. */
const char *plan_set_name(enum plan_set set);
enum job_state plan_set_state(enum plan_set set);
enum plan_set plan_set_of(enum job_state state);

/* The key of a queue's list, to be freed; NULL when memory is short. */
char *plan_list_key(const struct plan_queue *q, enum plan_layout layout);

/* NULL when there is none of that name. */
struct plan_queue *plan_queue(const struct plan *p, const char *name);

/*
 * Looks at every key. Returns NULL with *e set: EINVAL names a counter that is
 * no number, or says of what there is too much; else as source.h.
 */
struct plan *plan_make(struct source *s, struct err *e);

/* Accepts NULL. */
void plan_free(struct plan *p);

/* -EAGAIN with *e set when something has another size by now. */
int plan_still_holds(const struct plan *p, struct source *s, struct err *e);

#endif
