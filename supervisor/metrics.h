/*
 * metrics - what happened to the jobs of each jobtype, counted.
 *
 * Counts begin with the process, or with its latest upgrade. A jobtype gets
 * its counters when the settings name it and keeps them; jobs of others count
 * under "other". Counting allocates nothing. All functions accept m NULL.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_METRICS_H
#define SUPERVISOR_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/settings.h"
#include "handlers/run.h"
#include "protocol/job.h"
#include "supervisor/breaker.h"
#include "supervisor/report.h"

enum {
	METRICS_JOBTYPES_MAX = 4096, /* further ones are "other" */
	METRICS_EXITS_MAX = 24, /* different ends of a jobtype, then "other" */
};

/* The first five as enum verdict_kind. */
enum metrics_outcome {
	METRICS_DONE,
	METRICS_RETRY,
	METRICS_LATER,
	METRICS_DEAD,
	METRICS_DISCARD,
	METRICS_REFUSED,  /* failed without a program */
	METRICS_LOST,     /* given away by the server; nothing reported */
	METRICS_RETURNED, /* at our end: to be run elsewhere, no failure */
	METRICS_OUTCOMES,
};

struct metrics;

/* NULL when memory is short. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* Counters for all handlers. Without memory some remain "other". */
void metrics_know(struct metrics *m, const struct settings *s);

/* A program is being started; the job waited since its enqueued_at. */
void metrics_started(struct metrics *m, const struct job *job);

/* A program could not be started; its job goes on. */
void metrics_not_started(struct metrics *m, const struct job *job);

/* facts: NULL when there was no program. */
void metrics_ended(struct metrics *m, const struct job *job,
    enum metrics_outcome outcome, const struct run_facts *facts);

/* A line of output, or one that log_rate left out. */
void metrics_line(struct metrics *m, const struct job *job, bool left_out);

/* What a program reports of itself: as program_metrics_report(). */
int metrics_report(
    struct metrics *m, const char *jobtype, const char *name, double value);

/* Lines on descriptor 3 that were no message, or none that counts. */
void metrics_ignored(struct metrics *m, const struct job *job, uint64_t lines);

/* The conversation with the server is up. */
void metrics_connected(struct metrics *m);

/* Jobs that are here now: forgotten, then told one by one. */
void metrics_begin_work(struct metrics *m);
void metrics_at_work(struct metrics *m, const struct job *job, bool running);

/* The breaker of a handler, as it is now. */
void metrics_breaker(
    struct metrics *m, const char *jobtype, const struct breaker *b);

struct metrics_queue {
	const char *name;
	bool fetched; /* jobs of it are asked for */
};

/* What others know at the moment of a scrape. */
struct metrics_now {
	bool connected;
	bool beating;
	bool ready;
	const char *phase; /* one of metrics_phases */
	size_t slots;
	size_t busy;
	size_t waiting;    /* outcomes */
	uint64_t unlogged; /* lines of the log that were dropped */
	uint64_t fetches;
	struct report_counts told;
	const struct metrics_queue *queues;
	size_t nqueues;
};

/* Ends with NULL. */
extern const char *const metrics_phases[];

/*
 * Appends everything as Prometheus text 0.0.4. Returns as buf_append(); after
 * a failure out holds a part.
 */
int metrics_put(
    const struct metrics *m, const struct metrics_now *now, struct buf *out);

#endif
