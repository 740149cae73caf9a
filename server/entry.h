/*
 * entry - one job as the server keeps it in memory: small, without payload.
 *
 * An entry is in exactly one place: in its queue, in a set (scheduled, retry,
 * dead), among the reservations, or in nobody's hands while a change that
 * takes it from one place to another is on its way to the disk.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_ENTRY_H
#define SERVER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/agenda.h"
#include "server/store/store.h"

struct queue;
struct reservation;

struct entry {
	int64_t id;          /* the row's */
	int64_t seq;         /* order within the queue */
	struct queue *queue; /* borrowed; queues outlive their entries */
	union {
		struct {
			struct entry *prev, *next;
		} line;                   /* JOB_QUEUED: the queue's list */
		struct agenda_item timer; /* all others */
	};
	union {
		struct reservation *held; /* owned; JOB_RESERVED */
		int64_t enqueued_at; /* JOB_QUEUED: wall clock; 0: unknown */
	};
	struct entry *same_hash; /* jids.h, as the next and `listed` */
	uint32_t hash;
	int32_t retry;
	int32_t reserve_for; /* seconds, clamped */
	int32_t retry_count; /* failures so far minus one; -1: none */
	int32_t deaths;      /* workers that died with it since it failed */
	uint16_t type;       /* the tally's number of its jobtype */
	uint8_t state;       /* enum job_state: where it is, or last was */
	bool moving : 1;     /* in nobody's hands */
	bool listed : 1;
	bool late : 1; /* JOB_QUEUED: who had it may still settle it */
	char jid[];    /* NUL-terminated */
};

/* A blank entry, in no place. NULL when memory is short. */
struct entry *entry_new(const char *jid, size_t len);
void entry_free(struct entry *e);

/* The entry around its timer, and an agenda_order: by seq. */
struct entry *entry_of_timer(struct agenda_item *timer);
int entry_order(struct agenda_item *a, struct agenda_item *b);

#endif
