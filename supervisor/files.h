/*
 * files - values of a job, written where its program will look for them.
 *
 * Into the private directory of the dispatch, which goes with everything in
 * it afterwards.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_FILES_H
#define SUPERVISOR_FILES_H

#include "base/err.h"
#include "config/settings.h"
#include "protocol/job.h"

/*
 * Gives dir to the user that the program runs as, and writes the handler's
 * files and credentials into it; they belong to that user too. Returns 0; -EINVAL with *e set when the job does not fit:
 * BadArgument, the place and the reason, never the value; another negative
 * errno when this host does not let us.
 */
int files_write(const struct handler *how, const struct job *job,
    const char *dir, struct err *e);

#endif
