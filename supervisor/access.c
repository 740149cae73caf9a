/*
 * access - SO_PEERCRED and SO_PEERGROUPS.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/access.h"

#include <errno.h>
#include <stdlib.h>

/* NGROUPS_MAX of the kernel. */
enum { GROUPS_MAX = 65536 };

static int
read_groups(int fd, struct access_peer *p)
{
	socklen_t len = 0;

	/* Asked for nothing it says how much there is. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0)
		return 0;
	if (errno != ERANGE)
		return -errno;
	if (len > GROUPS_MAX * sizeof *p->groups)
		return -E2BIG;
	p->groups = malloc(len);
	if (p->groups == NULL)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, p->groups, &len) < 0)
		return -errno;
	p->ngroups = len / sizeof *p->groups;
	return 0;
}

int
access_peer_read(int fd, struct access_peer *p)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	*p = (struct access_peer){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	p->pid = cred.pid;
	p->uid = cred.uid;
	p->gid = cred.gid;
	return read_groups(fd, p);
}

void
access_peer_clear(struct access_peer *p)
{
	free(p->groups);
	p->groups = NULL;
	p->ngroups = 0;
}

bool
access_allows(const struct access_rule *rule, const struct access_peer *p)
{
	if (p->uid == 0 || p->uid == rule->own)
		return true;
	if (!rule->has_group)
		return false;
	if (p->gid == rule->group)
		return true;
	for (size_t i = 0; i < p->ngroups; i++)
		if (p->groups[i] == rule->group)
			return true;
	return false;
}
