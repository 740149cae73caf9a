/*
 * job_backoff - a job's own word on when it is tried again: custom.backoff.
 *
 * A list of seconds, one for each failure, the last one for all that follow;
 * or {"base","factor","cap"}: base * factor^failures seconds, at most cap.
 * docs/protocol.md, "Jobs".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_JOB_BACKOFF_H
#define PROTOCOL_JOB_BACKOFF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

enum {
	JOB_BACKOFF_STEPS = 100,
	JOB_BACKOFF_MAX = 366 * 86400, /* seconds */
};

/* custom may be JSON_NONE. 0, also without a backoff; -EINVAL with *e set. */
int job_backoff_check(const struct json *custom, struct err *e);

/*
 * Seconds until the next attempt after the failure numbered `count`, counted
 * from 0, as the stored form of a job has it; -1 when it says nothing.
 */
int64_t job_backoff_seconds(const char *stored, size_t len, int64_t count);

#endif
