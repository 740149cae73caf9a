/*
 * metrics_inside - the counters.
 *
 * For supervisor/metrics.c and supervisor/metrics_text.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_METRICS_INSIDE_H
#define SUPERVISOR_METRICS_INSIDE_H

#include "base/map.h"
#include "supervisor/metrics.h"
#include "supervisor/program_metrics.h"

enum { METRICS_BOUNDS = 16, METRICS_SIGNAL = 256 };

/* Upper ends of the buckets, in seconds; +Inf is not among them. */
extern const double metrics_bounds[METRICS_BOUNDS];

struct histogram {
	uint64_t at[METRICS_BOUNDS + 1]; /* not cumulative; the last: +Inf */
	double sum;                      /* seconds */
};

struct exits {
	int status; /* of exit(3), or METRICS_SIGNAL + signal */
	uint64_t count;
};

struct metrics_job {
	char *jobtype; /* owned */
	uint64_t outcomes[METRICS_OUTCOMES];
	struct exits exits[METRICS_EXITS_MAX];
	size_t nexits;
	uint64_t other_exits;
	struct histogram run;
	struct histogram wait;
	double user, system; /* CPU seconds */
	uint64_t peak;       /* bytes */
	uint64_t running, held;
	uint64_t lines, left_out;
	uint64_t spawn_failures;
	enum breaker_state breaker;
	uint64_t opened;
	uint64_t ignored; /* messages */
};

struct metrics {
	struct metrics_job *jobs[METRICS_JOBTYPES_MAX + 1]; /* [0]: "other" */
	size_t njobs;
	struct map *index;
	struct program_metrics *programs;
	uint64_t connects;
	int64_t began; /* clock_wall() */
};

#endif
