/*
 * request - what is asked of handlers/run, from a handler's settings.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_REQUEST_H
#define SUPERVISOR_REQUEST_H

#include "config/settings.h"
#include "handlers/run.h"
#include "supervisor/invocation.h"

/*
 * The limits and policies of how, for a run that starts or has started; the
 * times and who it is stay as they are, and so does the place for groups, which
 * a program in a unit does not need. What is set is borrowed from how.
 */
void request_limits(struct run_request *req, const struct handler *how);

/* What starts the program and feeds it; borrowed from v and how. */
void request_start(struct run_request *req, const struct invocation *v,
    const struct handler *how);

#endif
