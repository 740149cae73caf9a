/*
 * queues - the named queues: order within each, and who waits for it.
 *
 * A queue exists in memory from the first time it is named by a push or a
 * waiting FETCH; it is known (listed, kept on disk) once a job was pushed.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_QUEUES_H
#define SERVER_QUEUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/entry.h"

struct fetch_link; /* server/fetches.c: one waiting FETCH at one queue */

struct queue {
	struct entry *head, *tail; /* ascending seq */
	struct entry *near;        /* where one was put last between others */
	size_t count;
	struct fetch_link *first_wait, *last_wait; /* longest waiting first */
	int64_t weight; /* 0: none; server/weights.h, as the next */
	int64_t credit;
	size_t coming; /* moves to it that are on their way to the disk */
	size_t bulk;   /* bytes of the larger jobs of late; server/fetches.c */
	bool paused;
	bool known;
	unsigned pausing;  /* PAUSE and RESUME on their way to the disk */
	unsigned removing; /* REMOVE, likewise */
	bool fading;       /* known, but for a FLUSH on its way to the disk */
	bool mixed;        /* queue_load() was told of one out of order */
	size_t name_len;
	char name[];
};

struct queues;

/* Returns NULL when memory is short. */
struct queues *queues_new(void);
/* Frees the queues, not the entries in them. Accepts NULL. */
void queues_free(struct queues *qs);

/* Finds or makes. NULL when memory is short. Lives as long as qs. */
struct queue *queues_get(struct queues *qs, const char *name, size_t len);

/* As queues_get(), but NULL when there is none. */
struct queue *
queues_find(const struct queues *qs, const char *name, size_t len);

/* Every queue once; start with *cursor = 0. */
struct queue *queues_next(const struct queues *qs, size_t *cursor);

/* Known queues, and the jobs in all queues. */
size_t queues_known(const struct queues *qs);
size_t queues_jobs(const struct queues *qs);

/* Puts an entry where its seq belongs; quick at either end. Jobs give out each
 * seq once: of equal ones the order is not said. */
void queue_put(struct queue *q, struct entry *e);

/*
 * Many at once, at the start, in any order: a queue is not to be used until
 * queues_loaded() has put all of them in order; of equal seq, the first first.
 */
void queue_load(struct queue *q, struct entry *e);
void queues_loaded(struct queues *qs);

/* Takes an entry out of the line. */
void queue_drop(struct queue *q, struct entry *e);

#endif
