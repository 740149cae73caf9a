/*
 * timeline - when a job's program must be told to stop, and when it is killed.
 *
 *   asked            started                    deadline      killed    expires
 *     |-----------------|--------- timeout ---------|-- grace --|-- 5 s --|
 *
 * The job is reserved from some moment after it was asked for; the program
 * and all it started must be dead before the reservation ends, since then the
 * server gives the job to somebody else. A pure function.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_TIMELINE_H
#define SUPERVISOR_TIMELINE_H

#include <stdint.h>

#include "config/settings.h"
#include "protocol/job.h"

/* Between KILL and the end of the reservation, for the outcome to arrive. */
#define TIMELINE_RESERVE INT64_C(5000000000)

struct timeline {
	int64_t
	    expires; /* clock_mono(), as the next two; the reservation's end */
	int64_t latest; /* the deadline of a program without a timeout */
	int64_t grace;  /* ns from TERM to KILL: the handler's, shortened to
	                     half of a reservation that leaves no more */
};

struct timeline timeline_make(
    const struct job *job, const struct handler *how, int64_t asked_at);

/* The deadline of a program that starts now. */
int64_t timeline_deadline(
    const struct timeline *t, const struct handler *how, int64_t now);

/* The longest grace of a handler, in ns. */
int64_t timeline_longest_grace(const struct settings *settings);

#endif
