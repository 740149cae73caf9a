/*
 * event - turns in a life, of a job or of the supervisor, by name.
 *
 * What operators search for: lines with fields have the name as `event`, the
 * journal also as a MESSAGE_ID, whose explanations are in
 * contrib/systemd/faktotum.catalog.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_EVENT_H
#define SUPERVISOR_EVENT_H

#include "base/log.h"

#define JOB_STARTED "job-started"
#define JOB_DONE    "job-done"
#define JOB_FAILED  "job-failed"
#define JOB_OOM     "job-oom"
#define JOB_LOST    "job-lost"

#define EVENT_READY         "ready"
#define EVENT_DRAINING      "draining"
#define EVENT_RELOAD_FAILED "reload-failed"

struct event {
	const char *name;
	const char *id; /* 32 digits, as in MESSAGE_ID */
};

/* Ends with a NULL name. */
extern const struct event event_table[];

/* The id of an event, or NULL when there is none of this name. */
const char *event_id(const char *name);

/* As log_say(), for an event of the supervisor. */
void event_say(enum log_level level, const char *name, const char *subject,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
