/*
 * sandbox - a view of the system of the program's own: mounts and network.
 *
 * For handlers/spawn, in the child, by namespaces(7). Needs CAP_SYS_ADMIN;
 * what is mounted here is seen by nobody else and gone with the last process
 * of the program. What is mounted on the host later is seen here too.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_SANDBOX_H
#define HANDLERS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: the host's. What it points at is borrowed. */
struct sandbox {
	bool tmp;     /* own /tmp and /var/tmp */
	bool proc;    /* /proc shows its own process namespace */
	bool network; /* own, with a loopback interface that is up */
	bool all;     /* read-only, but /dev, /proc, /sys and keep */
	const char *const *read_only; /* paths; those that are not there are
					 passed over */
	size_t nread_only;
	const char *keep; /* the private directory stays, and writable */
};

/* Returns 0, or -1 with errno. */
int sandbox_enter(const struct sandbox *s);

#endif
