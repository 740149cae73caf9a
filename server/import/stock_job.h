/*
 * stock_job - a job as a stock server keeps it in Redis, read as a row.
 *
 * In a queue's list, and in the sets scheduled, retries and dead, an element
 * is the job's JSON. In the set working it is an object around it:
 * {"job":{...},"reserved_at":T,"expires_at":T,"wid":"..."}. A set's score is
 * a moment, in seconds since 1970 with a fraction: when the job is due, when
 * the dead one is purged, when the reservation ends.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_IMPORT_STOCK_JOB_H
#define SERVER_IMPORT_STOCK_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "server/store/store.h"

enum {
	STOCK_ELEMENT_MAX = 128 * 1024 * 1024, /* bytes; ours */
	STOCK_WID_MAX = 1024,                  /* likewise */
};

struct stock_job;

/* Reads one after the other. Returns NULL when memory is short. */
struct stock_job *stock_job_new(void);

/* Accepts NULL. */
void stock_job_free(struct stock_job *s);

/*
 * Reads an element that was found in the place `state`. queue: the list's
 * name, or NULL in a set, where the job names its own; due: the score as
 * stock_score() gives it, 0 in a list; now: for a job without created_at.
 * Returns the row, without id and seq; it borrows from s until the next call
 * and from queue. NULL with *e set: EINVAL with what is wrong with it, or
 * ENOMEM.
 */
struct store_job *
stock_job_read(struct stock_job *s, enum job_state state, const char *queue,
    int64_t due, const char *bytes, size_t len, int64_t now, struct err *e);

/*
 * A score as Redis writes it ("1764000000.25") in ns since 1970. Returns 0, or
 * -EINVAL for what is no number, negative, or later than the year 2261.
 */
int stock_score(const char *text, size_t len, int64_t *ns);

#endif
