/*
 * again - a failed job as one that is due at a time of its own.
 *
 * For a server that has no word for such a time in FAIL: there a copy of the
 * job, with `at`, takes the place of the one that failed. Its `failure` is
 * what the server would have written, so that attempts go on being counted.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_AGAIN_H
#define SUPERVISOR_AGAIN_H

#include <stdint.h>

#include "base/buf.h"
#include "protocol/job.h"
#include "protocol/outcome.h"

/*
 * Appends the copy of j, whose values stay as they came; f is how it failed
 * now (clock_wall()), and retry_in when it is due. Returns as buf_append().
 */
int again_put(
    struct buf *out, const struct job *j, const struct failure *f, int64_t now);

#endif
