/*
 * progress - a line on a terminal that tells how far a long task is.
 *
 * Drawn at most ten times a second, on standard error, and only when that is
 * a terminal; otherwise every call does nothing.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown;    /* standard error is a terminal */
	int64_t total; /* bytes to come; 0: unknown */
	int64_t began; /* clock_mono() */
	int64_t drawn; /* likewise, the last time */
};

/* total: how many bytes there are to read, 0 when nobody knows. */
void progress_begin(struct progress *p, int64_t total);

/* jobs and bytes so far. */
void progress_at(struct progress *p, int64_t jobs, int64_t bytes);

/* Clears the line, so that a message can stand there. */
void progress_clear(const struct progress *p);

#endif
