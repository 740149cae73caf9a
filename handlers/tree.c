/*
 * tree - everything a program started, and how it ends.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/tree.h"

#include <signal.h>

#include "handlers/descent.h"

/* Of one look; the next one finds the others. */
enum { ORPHANS_MAX = 1024, LOOKS = 16 };

void
tree_init(struct tree *t, struct kin *kin, pid_t leader, const char *id)
{
	t->member.leader = leader;
	t->member.init = t->space.init;
	t->member.id = id;
	t->kin = kin;
	if (kin != NULL)
		kin_join(kin, &t->member);
}

void
tree_clear(struct tree *t)
{
	if (t->kin != NULL)
		kin_leave(&t->member);
	t->kin = NULL;
}

void
tree_term(const struct tree *t)
{
	kill(-t->member.leader, SIGTERM);
	kill(-t->member.leader, SIGCONT);
}

/* The group once more at the end: who joined it late is in no list yet. */
void
tree_kill(const struct tree *t)
{
	if ((t->leaf == NULL || cgroup_kill(t->leaf) < 0) && t->kin != NULL)
		(void)descent_end(&t->member.leader, 1);
	kill(-t->member.leader, SIGKILL);
	pidspace_kill(&t->space);
}

/* A transient unit has the init in it, which nobody has left there. */
static size_t
without(pid_t *pids, size_t all, pid_t init)
{
	size_t n = 0;

	for (size_t i = 0; i < all; i++)
		if (pids[i] != init)
			pids[n++] = pids[i];
	return n;
}

/*
 * Without the leader, who is a zombie and in no list. Root can move itself out
 * of its group: then it is an orphan all the same.
 */
static size_t
find_left(const struct tree *t, pid_t pids[ORPHANS_MAX])
{
	size_t n = 0;

	if (t->leaf != NULL && cgroup_is_populated(t->leaf)) {
		size_t all = cgroup_processes(t->leaf, pids, ORPHANS_MAX);

		n = without(pids, all, t->space.init);
		if (all == 0) /* by the time we looked: they are others now */
			pids[n++] = t->member.leader;
	}
	if (n == 0)
		n = pidspace_left(&t->space, pids, ORPHANS_MAX);
	if (n == 0 && t->kin != NULL)
		n = kin_orphans(t->kin, &t->member, pids, ORPHANS_MAX);
	return n;
}

size_t
tree_left(const struct tree *t)
{
	pid_t pids[ORPHANS_MAX];

	return find_left(t, pids);
}

void
tree_term_left(const struct tree *t)
{
	pid_t pids[ORPHANS_MAX];

	tree_term(t);
	size_t n = find_left(t, pids);
	for (size_t i = 0; i < n; i++) {
		kill(pids[i], SIGTERM);
		kill(pids[i], SIGCONT);
	}
}

size_t
tree_sweep(const struct tree *t, size_t *left)
{
	pid_t pids[ORPHANS_MAX];
	size_t first = 0;

	*left = 0;
	for (int look = 0; look < LOOKS; look++) {
		size_t n = find_left(t, pids);

		*left = n;
		if (n == 0)
			break;
		if (t->leaf != NULL)
			(void)cgroup_kill(t->leaf);
		n = descent_end(pids, n);
		pidspace_kill(&t->space);
		if (look == 0)
			first = n;
	}
	kill(-t->member.leader, SIGKILL);
	pidspace_kill(&t->space);
	return first;
}

size_t
tree_spare(const struct tree *t)
{
	size_t n = tree_left(t);

	if (n > 0 && t->member.id != NULL)
		(void)kin_spare(t->kin, t->member.id);
	return n;
}
