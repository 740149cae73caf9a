/*
 * job_log - what the log says about one job, with the tags that find it.
 *
 * A line of text has jid and type; where lines have fields (JSON, the
 * journal) queue, attempt and dispatch stand beside them, and the turns of a
 * job's life have names to search by: `event`, and a MESSAGE_ID in the
 * journal.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOB_LOG_H
#define SUPERVISOR_JOB_LOG_H

#include <stddef.h>

#include "base/log.h"
#include "handlers/run.h"

/* The names of events; journald.c has an id for each. */
#define JOB_STARTED "job-started"
#define JOB_DONE    "job-done"
#define JOB_FAILED  "job-failed"
#define JOB_OOM     "job-oom"

/* All borrowed, any bytes. */
struct job_log {
	const char *jid;
	const char *jobtype;
	const char *queue;
	const char *dispatch; /* the dispatch's id; "": not run yet */
	char attempt[24];
};

/* event: one of the names above, or NULL. */
void
job_log_say(const struct job_log *job, enum log_level level, const char *event,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A line of its program. priority: 0 to 7, or -1 when it did not say. */
void job_log_line(const struct job_log *job, enum log_level level, int priority,
    enum run_stream stream, const char *bytes, size_t len);

#endif
