/*
 * fetchb - the line that asks for several jobs: FETCHB 8 critical default:2
 *
 * A number of jobs, then the queues as in FETCH; behind a colon the most that
 * may come from this one. A protocol specification: docs/protocol.md, "fetchb".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_FETCHB_H
#define PROTOCOL_FETCHB_H

#include <stddef.h>

#include "base/buf.h"

enum {
	FETCHB_JOBS_MAX = 16,           /* most jobs of one answer */
	FETCHB_BYTES_MAX = 1024 * 1024, /* of an answer with more than one */
};

/*
 * Reads the number in front of the queues and moves *arg and *len behind it
 * and its space. Returns it, or 0 when there is no number from 1 to
 * FETCHB_JOBS_MAX with a space behind it.
 */
size_t fetchb_read_count(const char **arg, size_t *len);

/*
 * Cuts the limit off a queue's word: *len becomes that of the name. Returns
 * the limit, SIZE_MAX without one; 0 when what is behind the colon is no number
 * from 1 to FETCHB_JOBS_MAX.
 */
size_t fetchb_read_limit(const char *word, size_t *len);

/*
 * Append the beginning of the line, and a queue with a space in front of it;
 * a limit above FETCHB_JOBS_MAX is none. The caller ends the line. Return as
 * buf_append().
 */
int fetchb_put_count(struct buf *out, size_t count);
int fetchb_put_queue(struct buf *out, const char *name, size_t limit);

#endif
