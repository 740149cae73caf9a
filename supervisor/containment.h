/*
 * containment - whether programs get control groups or units of their own here.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CONTAINMENT_H
#define SUPERVISOR_CONTAINMENT_H

#include <stdint.h>

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

/* ns that a start and `check` wait for the service manager. */
#define CONTAINMENT_PATIENCE INT64_C(5000000000)

/*
 * Whether units can be made, where s asks for any: their limits kept, and the
 * manager asked, which waits up to patience ns; 0 only looks whether anything
 * listens. Returns as containment_check().
 */
int
containment_units(const struct settings *s, int64_t patience, struct err *e);

#endif
