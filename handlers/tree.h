/*
 * tree - everything a program started, and how it ends.
 *
 * The leader of a tree is the program itself; it leads the process group that
 * its children are born into. As long as the leader has not been reaped, the
 * number of its group belongs to nobody else: ask for nothing of a tree after
 * that.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_TREE_H
#define HANDLERS_TREE_H

#include <sys/types.h>

struct tree {
	pid_t leader; /* and the number of its group */
};

/* Asks all of it to end. What is stopped goes on, to hear of it. */
void tree_term(const struct tree *t);

/* KILL to all of it. */
void tree_kill(const struct tree *t);

#endif
