/*
 * cgroup - a control group of its own for each program, where we may make one.
 *
 * Version 2 only (cgroups(7)). A service manager that delegates (systemd's
 * Delegate=) gives a service a group in which it may make others. The rule
 * that a group has processes or groups in it, not both, is why the supervisor
 * first moves itself into one, CGROUP_OURS. Every program then gets a leaf:
 * all that it starts is born there, and ends by one write, however it forks.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_CGROUP_H
#define HANDLERS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/state.h"

#define CGROUP_OURS "faktotum-supervisor"
#define CGROUP_LEAF "faktotum-job-" /* and the dispatch id */

/* What a leaf may use; zeroed: whatever is left. */
struct cgroup_limits {
	int64_t
	    memory_max; /* bytes, without swap; above it it is killed whole */
	int64_t tasks_max;   /* processes and threads */
	int64_t cpu_weight;  /* 1 to 10000; others have 100 */
	int64_t cpu_percent; /* of one processor */
};

struct cgroups; /* where leaves are made */

/* Whether somebody has delegated our own group to us. */
bool cgroups_are_delegated(void);

/*
 * Moves this process and opens the place. NULL with *e set when there is no
 * such hierarchy or it may not be written to. The process stays where it is.
 */
struct cgroups *cgroups_open(struct err *e);
void cgroups_close(struct cgroups *g); /* accepts NULL */

/* Whether limits can be kept here; else *e says which controller is missing. */
int cgroups_can(
    const struct cgroups *g, const struct cgroup_limits *limits, struct err *e);

/*
 * Whether the host has a hierarchy, and can keep limits in it, for groups that
 * another makes; else *e says what is missing.
 */
int cgroups_host_can(const struct cgroup_limits *limits, struct err *e);

struct cgroup_leaf;

/* id names it. Returns NULL with errno. */
struct cgroup_leaf *cgroup_make(
    struct cgroups *g, const char *id, const struct cgroup_limits *limits);

/*
 * The group that somebody else has made for pid, and removes: its name is unit.
 * With whole all in it are to be killed when it has too little memory. Returns
 * 0, or a negative errno: -ESRCH when pid is elsewhere.
 */
int
cgroup_adopt(pid_t pid, const char *unit, bool whole, struct cgroup_leaf **out);

/* Removes what we made when it is empty; else it stays. Accepts NULL. */
void cgroup_free(struct cgroup_leaf *l);

/*
 * A descriptor for handlers/spawn, valid until cgroup_entered(): a child that
 * writes "0" to it moves into the leaf.
 */
int cgroup_entrance(const struct cgroup_leaf *l);
void cgroup_entered(struct cgroup_leaf *l);

/* KILL to all in it, at once. Returns 0 or a negative errno. */
int cgroup_kill(const struct cgroup_leaf *l);

/* Whether anything in it is alive. */
bool cgroup_is_populated(const struct cgroup_leaf *l);

/* How many processes it has, at most max; their numbers if pids is given. */
size_t cgroup_processes(const struct cgroup_leaf *l, int *pids, size_t max);

/* How many of its processes were killed because of memory_max. */
int64_t cgroup_oom_kills(const struct cgroup_leaf *l);

/* For a successor. l may be NULL, and is then. */
void cgroup_save(const struct cgroup_leaf *l, struct state_writer *w);
struct cgroup_leaf *cgroup_load(struct cgroups *g, struct state_reader *r);

#endif
