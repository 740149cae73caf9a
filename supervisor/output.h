/*
 * output - what programs print, on its way to all who want it.
 *
 * One for each handler. Every line goes to the job's tap, and to the file of
 * its output where there is one; to the log it goes
 * tagged with its job, and above the handler's log_rate lines are only
 * counted there, and the count is told. A line may choose its level with the
 * prefix <0> to <7> of sd-daemon(3).
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_OUTPUT_H
#define SUPERVISOR_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/state.h"
#include "config/settings.h"
#include "handlers/run.h"
#include "supervisor/job_log.h"
#include "supervisor/output_files.h"
#include "supervisor/tap.h"

/* Zeroed but for how. */
struct output {
	const struct handler *how; /* borrowed */
	int64_t second;            /* clock_mono() when this second began */
	int64_t lines;             /* in this second */
	int64_t suppressed;        /* not yet told */
};

/* Where a stream of one job stands. Zeroed: at the start of a line. */
struct output_place {
	bool within;          /* the last piece said that more would come */
	enum log_level level; /* of that line */
	int priority;         /* likewise; -1: it has none */
};

/* Of one job. Zeroed but for log. */
struct output_job {
	struct job_log log;
	struct output_place places[2]; /* by enum run_stream */
	struct tap tap;
	struct output_file file; /* begun by those who start the program */
};

/* As run_hooks.line. Returns whether log_rate let it pass. */
bool output_line(struct output *o, struct output_job *job,
    enum run_stream stream, const char *bytes, size_t len, bool more);

/* The program has ended: those who listen hear it. */
void output_end(struct output_job *job);

/* For an upgrade in place. Bad bytes are the reader's to remember. */
void output_save(const struct output_job *job, struct state_writer *w);
void output_load(struct output_job *job, struct state_reader *r);

/* Counts one line; whether it is within log_rate. */
bool output_may_pass(struct output *o);

/* Tells what has been suppressed so far, if anything. */
void output_tell(struct output *o);

#endif
