/*
 * confine - limits and identity that a program takes on before its exec.
 *
 * For handlers/spawn, in the child. Raw system calls, since the C library's
 * setuid(3) would change every thread of the parent.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_CONFINE_H
#define HANDLERS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "handlers/sandbox.h"

enum { CONFINE_LIMITS_MAX = 16 };

struct confine_limit {
	int resource; /* RLIMIT_NOFILE, ... */
	rlim_t value; /* soft and hard */
};

/* Zeroed: nothing changes. What it points at is borrowed. */
struct confine {
	bool identity; /* the next four count */
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
	struct confine_limit limits[CONFINE_LIMITS_MAX];
	size_t nlimits;
	bool has_nice;
	int nice;
	int io_priority;          /* as ioprio_set(2) takes it; 0: ours */
	char oom_score_adj[8];    /* decimal; "": ours */
	bool may_gain_privileges; /* no PR_SET_NO_NEW_PRIVS */
	struct sandbox sandbox;
};

/* What needs our privileges; 0, or -1 with errno. */
int confine_limits(const struct confine *c);

/* Gives up our identity and with it our privileges; 0, or -1 with errno. */
int confine_identity(const struct confine *c);

#endif
