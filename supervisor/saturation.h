/*
 * saturation - whether the programs use up the processors.
 *
 * What they have used, as wait4(2) tells it of each that has ended, is added up
 * over windows. In one in which they had at least half of what all processors
 * could do, another program would only have had its turn with the others; so
 * in the next one it may wait a little where that saves work. One program
 * counts with no more than a window, however long it has run.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_SATURATION_H
#define SUPERVISOR_SATURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/clock.h"

#define SATURATION_WINDOW (100 * CLOCK_NS_PER_MS)

/* Programs that must be at work for each processor, or it may run out of them
 * while others wait. */
enum { SATURATION_QUEUE = 2 };

struct saturation {
	size_t processors;
	int64_t began; /* of this window, clock_mono() */
	int64_t used;  /* in it, ns of processors */
	bool high;     /* in the one before */
};

/* With the processors that we may run on: sched_getaffinity(2). */
void saturation_init(struct saturation *s);

/* A program has ended. now: clock_mono(), as below. */
void
saturation_note(struct saturation *s, const struct rusage *usage, int64_t now);

/* Whether one more may wait, where so many are at work. */
bool
saturation_is_high(const struct saturation *s, size_t running, int64_t now);

#endif
