/*
 * containment - whether programs get control groups of their own here.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CONTAINMENT_H
#define SUPERVISOR_CONTAINMENT_H

#include "base/err.h"
#include "config/settings.h"
#include "handlers/cgroup.h"

/*
 * Opens the place for them as the setting `cgroup` says; this process may be
 * moved by it. *out is NULL where there are none. Returns 0, or a negative
 * errno with *e set, -ENOTSUP where the settings ask for what is not to be had.
 */
int
containment_open(const struct settings *s, struct cgroups **out, struct err *e);

/* Whether g, which may be NULL, can keep every limit of s; else -ENOTSUP and *e
 * names the first job that it cannot. */
int containment_check(
    const struct settings *s, const struct cgroups *g, struct err *e);

#endif
