/*
 * tree - everything a program started, and how it ends.
 *
 * The leader of a tree is the program itself; it leads the process group that
 * its children are born into, and adopts those that break away (see
 * handlers/kin). As long as the leader has not been reaped, the number of its
 * group belongs to nobody else: ask for nothing of a tree after that. With a
 * control group of its own (handlers/cgroup) nothing can leave the tree.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_TREE_H
#define HANDLERS_TREE_H

#include <stddef.h>
#include <sys/types.h>

#include "handlers/cgroup.h"
#include "handlers/kin.h"
#include "handlers/pidspace.h"

struct tree {
	struct kin_member member; /* its leader */
	struct kin *kin;          /* NULL: no more than the group is known */
	struct cgroup_leaf *leaf; /* owned; NULL: none */
	struct pidspace space;    /* owned; what is in it dies with its init */
};

/*
 * kin and id are borrowed until tree_clear(). kin may be NULL. The leaf and the
 * space, which may have been set before, stay.
 */
void tree_init(struct tree *t, struct kin *kin, pid_t leader, const char *id);

/* Before the leader is reaped. The leaf and the space stay. */
void tree_clear(struct tree *t);

/* Asks all of the group to end. What is stopped goes on, to hear of it. */
void tree_term(const struct tree *t);

/* KILL to all of it. */
void tree_kill(const struct tree *t);

/*
 * KILL to what is left once the leader has ended: the group and what broke
 * away. One that forks and exits all the time is gone before it is stopped in
 * most looks, so there are several, as close as can be. Returns how many were
 * found at first, and in *left how many at last, in whatever state KILL leaves
 * them: call again until that is 0. Without kin 0.
 */
size_t tree_sweep(const struct tree *t, size_t *left);

/* The same without ending any. */
size_t tree_left(const struct tree *t);

/* TERM to what is left. */
void tree_term_left(const struct tree *t);

/* What is left may live on, and is never swept. Returns how many there are. */
size_t tree_spare(const struct tree *t);

#endif
