/*
 * journal - outcomes on disk until the server has confirmed them.
 *
 * After a crash of the supervisor its next start finds here what had ended
 * but was not confirmed, and tells the server, so that a job which had
 * succeeded is not run again. One file in the operator's state_dir, for one
 * supervisor at a time.
 *
 * A thread writes and syncs, all that has gathered with one fdatasync(2); the
 * loop never waits for the disk. What is confirmed before the thread has got
 * to it is never written. A disk that refuses stops no job: what could not be
 * kept is counted, and told when it begins and when it is over.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOURNAL_H
#define SUPERVISOR_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	JOURNAL_BYTES_MAX = 64 * 1024 * 1024, /* of outcomes not confirmed */
};

struct journal;

struct journal_outcome {
	const char *jid;
	size_t jid_len;
	const char *line; /* the whole command */
	size_t len;
	const char *enqueued_at; /* as its server wrote it */
	size_t enqueued_at_len;  /* 0: unknown */
	int64_t expires;         /* clock_mono(): when the reservation ends */
};

struct journal_counts {
	uint64_t kept;    /* given to journal_add() */
	uint64_t syncs;   /* fdatasync(2)s for them */
	uint64_t refused; /* could not be written */
};

/*
 * Opens or makes the journal below dir and keeps others off. wid says whose
 * outcomes will come. Returns NULL with *e set; e->code EBUSY when another
 * supervisor is at work here.
 */
struct journal *journal_open(const char *dir, const char *wid, struct err *e);

/* Writes what waits, and waits for it. Accepts NULL. */
void journal_close(struct journal *j);

/*
 * What was found for this server: one call each; outcome is borrowed during
 * it, id is as from journal_add(). To be called before the first
 * journal_add(). What nobody asks for stays in the file until its reservation
 * has ended.
 */
void journal_found(struct journal *j, const char *server,
    void (*found)(
	void *ctx, const struct journal_outcome *outcome, uint64_t id),
    void *ctx);

/* Returns a number for journal_done(); 0 when it is not kept. */
uint64_t journal_add(
    struct journal *j, const char *server, const struct journal_outcome *o);

/* The server has confirmed it, or nobody waits for it any more. 0: nothing. */
void journal_done(struct journal *j, uint64_t id);

/* Waits until all that was given is on disk, or refused. */
void journal_settle(struct journal *j);

struct journal_counts journal_counts(struct journal *j);

#endif
