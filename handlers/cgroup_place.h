/*
 * cgroup_place - where in the hierarchy of control groups this process is.
 *
 * For handlers/cgroup. The hierarchy is found by its type in
 * /proc/self/mountinfo: hosts that mix both versions have it elsewhere than
 * below /sys/fs/cgroup itself.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_CGROUP_PLACE_H
#define HANDLERS_CGROUP_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The directory of our own group, or of the group in which CGROUP_OURS lies
 * when that is ours. Returns 0, or -ENOENT with *e set.
 */
int cgroup_place_find(char path[PATH_MAX], struct err *e);

/*
 * The group of a process, "/..." below the root of the hierarchy; 0: our own.
 * False where there is none, or no such process.
 */
bool cgroup_place_of(pid_t pid, char group[PATH_MAX]);

/*
 * The directory of such a group. Returns as cgroup_place_find().
 */
int cgroup_place_path(const char *group, char path[PATH_MAX], struct err *e);

/*
 * Moves this process into CGROUP_OURS there, unless it is in the root of the
 * hierarchy, and returns a descriptor of the place. -1 with *e set when
 * that is not allowed.
 */
int cgroup_place_enter(struct err *e);

/* Whether groups below have this controller now. */
bool cgroup_place_enable(int dir, const char *controller);

#endif
