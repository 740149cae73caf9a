/*
 * overview - the supervisor and its jobs as lines of JSON.
 *
 * Times are seconds; a moment that has passed has a negative distance.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_OVERVIEW_H
#define SUPERVISOR_OVERVIEW_H

#include <stdint.h>

#include "base/buf.h"
#include "supervisor/joblist.h"

struct supervisor;

/* Bytes: four names of a job, each byte escaped, and what stands around. */
enum { OVERVIEW_LINE_MAX = 32 * 1024 };

/* {"supervisor":{...}} and a line end. Returns as buf_append(). */
int overview_put(struct buf *out, const struct supervisor *s, int64_t now);

/* {"job":{...}}, likewise. now: clock_mono(). */
int
overview_put_job(struct buf *out, const struct joblist_job *job, int64_t now);

#endif
