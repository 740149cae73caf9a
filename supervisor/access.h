/*
 * access - may the process at the other end of a local socket give orders?
 *
 * Root may, the user we run as may, and the members of a group if there is
 * one. The kernel says who it is, as of when it connected: nobody can claim
 * to be somebody else.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_ACCESS_H
#define SUPERVISOR_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

struct access_rule {
	uid_t own; /* the user we run as */
	bool has_group;
	gid_t group;
};

struct access_peer {
	pid_t pid; /* when it connected; may be gone */
	uid_t uid;
	gid_t gid;     /* its first group */
	gid_t *groups; /* the others; owned: access_peer_clear() */
	size_t ngroups;
};

/*
 * Asks the kernel. Returns 0; a negative errno when it does not say, and the
 * peer is then nobody who may.
 */
int access_peer_read(int fd, struct access_peer *p);
void access_peer_clear(struct access_peer *p);

/* A pure function. */
bool access_allows(const struct access_rule *rule, const struct access_peer *p);

#endif
