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
 * Writes the files of a handler into dir; they belong to the directory's
 * owner. Returns 0; -EINVAL with *e set when the job does not fit:
 * BadArgument, the place and the reason, never the value; another negative
 * errno when this host does not let us.
 */
int files_write(const struct handler *how, const struct job *job,
    const char *dir, struct err *e);

#endif
