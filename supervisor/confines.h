/*
 * confines - a handler's confinement as handlers/spawn takes it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CONFINES_H
#define SUPERVISOR_CONFINES_H

#include "config/confinement.h"
#include "handlers/cgroup.h"
#include "handlers/confine.h"

/*
 * For one start; keep is the private directory. *out is NULL when nothing is
 * asked for, else owned: confines_free(). Refers to c and keep. Returns 0 or
 * -ENOMEM.
 */
int confines_make(
    const struct confinement *c, const char *keep, struct confine **out);
void confines_free(struct confine *c); /* accepts NULL */

/* What its control group is to keep. */
struct cgroup_limits confines_limits(const struct confinement *c);

/*
 * Gives a new private directory to the user that the program runs as. Returns
 * 0 or a negative errno.
 */
int confines_give(const struct confinement *c, const char *dir);

#endif
