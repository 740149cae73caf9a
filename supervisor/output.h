/*
 * output - what programs print, on its way to the log.
 *
 * One for each handler. Every line is tagged with its job; above the
 * handler's log_rate lines are only counted, and the count is told. A line
 * may choose its level with the prefix <0> to <7> of sd-daemon(3).
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_OUTPUT_H
#define SUPERVISOR_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "handlers/run.h"

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
};

/* As run_hooks.line. */
void output_line(struct output *o, const char *jid, struct output_place *at,
    enum run_stream stream, const char *bytes, size_t len, bool more);

/* Tells what has been suppressed so far, if anything. */
void output_tell(struct output *o);

#endif
