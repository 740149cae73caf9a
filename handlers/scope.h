/*
 * scope - a transient unit of the service manager, for the processes of a job.
 *
 * The manager (systemd, by its bus) makes a scope (systemd.scope(5)) and moves
 * the processes into it: from then on it shows, counts and limits them as it
 * does its own. Everything here waits for an answer, up to SCOPE_PATIENCE: it
 * is for a thread that may wait. Each call has a connection of its own.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_SCOPE_H
#define HANDLERS_SCOPE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "handlers/cgroup.h"

/*
 * ns. A manager that reads all of its units again answers nobody for seconds,
 * so it is well above that; D-Bus itself would wait 25 s.
 */
#define SCOPE_PATIENCE INT64_C(10000000000)

/* All texts are UTF-8. */
struct scope_request {
	const char *unit;        /* "NAME.scope", which nobody else has */
	const char *description; /* for a person */
	const char *slice;       /* "jobs.slice" */
	struct cgroup_limits limits;
};

/*
 * Makes the unit with these two processes in it, beside which it has no
 * others; tasks_max is the program's, to which one is added for the init.
 * Of our own service it is ordered so that the manager stops it later than
 * us. Returns 0 once the manager says that it has been started, or a negative
 * errno with *e naming the unit and the reason. Then it may come into being
 * all the same, when the manager was only slow: it goes with its processes.
 */
int scope_make(
    const struct scope_request *q, pid_t init, pid_t program, struct err *e);

/*
 * Whether there is a manager to be asked, by waiting for its answer up to
 * patience ns; 0: whether anything listens at its bus, which does not wait.
 * Returns 0 or a negative errno with *e set.
 */
int scope_probe(int64_t patience, struct err *e);

#endif
