/*
 * tree - everything a program started, and how it ends.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/tree.h"

#include <signal.h>

void
tree_term(const struct tree *t)
{
	kill(-t->leader, SIGTERM);
	kill(-t->leader, SIGCONT);
}

void
tree_kill(const struct tree *t)
{
	kill(-t->leader, SIGKILL);
}
