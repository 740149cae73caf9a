/*
 * granted - copies of credentials, where the program of one job finds them.
 *
 * In a directory within its private one, which goes with everything in it.
 * They are read anew for each job, so that one that was changed is the next
 * job's.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_GRANTED_H
#define SUPERVISOR_GRANTED_H

#include <sys/stat.h>

#include "base/err.h"
#include "config/grants.h"

/* Below the private directory; no file of `files` can have this name. */
#define GRANTED_DIRECTORY ".credentials"

/* Of one credential, as systemd has it. */
enum { GRANTED_SIZE_MAX = 1024 * 1024 };

/*
 * Makes the directory in dirfd and fills it, for owner to read and nobody to
 * write. Returns 0, or a negative errno (never -EINVAL) with *e set, which
 * names the credential; never a byte of it.
 */
int granted_write(
    const struct grants *g, int dirfd, const struct stat *owner, struct err *e);

#endif
