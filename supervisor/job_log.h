/*
 * job_log - what the log says about one job, with the tags that find it.
 *
 * A line of text has jid and type; where lines have fields (JSON, the
 * journal) queue, attempt, dispatch and pid stand beside them, and the turns
 * of a job's life are events.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOB_LOG_H
#define SUPERVISOR_JOB_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "handlers/run.h"
#include "supervisor/event.h"

/* All borrowed, any bytes. */
struct job_log {
	const char *jid;
	const char *jobtype;
	const char *queue;
	const char *dispatch; /* the dispatch's id; "": not run yet */
	int64_t attempt;
	pid_t pid; /* of its program; 0: not known */
};

/* From now on its lines tell the program's pid; 0 changes nothing. */
void job_log_pid(struct job_log *job, pid_t pid);

/* event: a name of event.h, or NULL. */
void
job_log_say(const struct job_log *job, enum log_level level, const char *event,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* How it ended, for those who search by fields. */
struct job_end {
	const char *event;
	const char *outcome; /* as in the metrics: "done", "retry", ... */
	int64_t elapsed;     /* ns; -1: its program did not run */
};

void job_log_end(const struct job_log *job, enum log_level level,
    const struct job_end *end, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A line of its program. priority: 0 to 7, or -1 when it did not say. */
void job_log_line(const struct job_log *job, enum log_level level, int priority,
    enum run_stream stream, const char *bytes, size_t len);

enum { JOB_LOG_FIELDS_MAX = 16 };

/* A message of its program, with at most JOB_LOG_FIELDS_MAX fields. */
void job_log_message(const struct job_log *job, enum log_level level,
    const struct log_tag *fields, size_t n, const char *bytes, size_t len);

#endif
