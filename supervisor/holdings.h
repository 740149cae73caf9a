/*
 * holdings - which jobs are here, as a server is told.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HOLDINGS_H
#define SUPERVISOR_HOLDINGS_H

#include <stdbool.h>

#include "base/buf.h"
#include "supervisor/upstream.h"

/*
 * Appends a HELD line for this server: the jobs of all servers that have a
 * program or wait for one, and all outcomes that are not confirmed. Two URLs may
 * be those of one server, and after an upgrade a job may count for another one
 * of the list; a server passes over what it does not know. What a server has
 * given away is left out: if it is reserved for us once more, that has not
 * arrived. -EAGAIN while an answer of another server is still to come, for the
 * same reason, and for one that jobs are not fetched from, unless it owes an
 * answer that was lost; else as buf_append().
 */
int holdings_put(const struct upstream *u, struct buf *line);

/* Whether a server is being told just now, or one that was left waits for it. */
bool holdings_are_told(const struct supervisor *s);

/* Tells those that were left, if it may be said now. To be called whenever an
 * answer has come. */
void holdings_tell_left(struct supervisor *s);

#endif
