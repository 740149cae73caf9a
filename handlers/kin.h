/*
 * kin - whose the orphans are that programs leave to this process.
 *
 * Every program is made the subreaper of what it starts, so whatever breaks
 * away from it stays below it while it lives. When it has ended, what is left
 * becomes a child of this process's first thread: its programs themselves are
 * children of the spawner's threads. An orphan belongs to the program whose
 * dispatch id it has in its environment, or whose process group it is in; one
 * that shows neither belongs to nobody, and ends with the next program that
 * does.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_KIN_H
#define HANDLERS_KIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/state.h"

/* The variable that says to which dispatch a process belongs. */
#define KIN_VARIABLE "FAKTORY_DISPATCH_ID"

enum {
	KIN_SPARED_MAX = 1024,        /* dispatches whose leftovers live on */
	KIN_ENVIRON_MAX = 256 * 1024, /* bytes of an environment looked at */
};

struct kin;

/* One program that runs. Kept by its owner while it is a member. */
struct kin_member {
	LIST_ENTRY(kin_member) link;
	pid_t leader;
	pid_t init;     /* of its process namespace, nobody's orphan; 0: none */
	const char *id; /* borrowed while it is a member; NULL: none */
};

/*
 * Makes this process a subreaper. NULL when memory is short. Whoever owns the
 * loop reaps the orphans that have ended.
 */
struct kin *kin_new(void);
void kin_free(struct kin *k); /* accepts NULL */

/*
 * Who has ended stands in the list of children until it is reaped; and one
 * that forks and ends all the time fills it, until nobody is seen who came
 * later. reap, when set, is called before a list that is not empty is believed,
 * to reap the orphans that have ended.
 */
void kin_set_reaper(struct kin *k, void (*reap)(void *ctx), void *ctx);

/* False: this kernel lists no children, and no orphan will be found. */
bool kin_sees(const struct kin *k);

void kin_join(struct kin *k, struct kin_member *m);
void kin_leave(struct kin_member *m);

/*
 * The living orphans that m has left, and those that are nobody's, in pids;
 * returns how many. For a member whose leader has ended and is not reaped.
 */
size_t kin_orphans(
    const struct kin *k, const struct kin_member *m, pid_t *pids, size_t max);

/*
 * What this dispatch has left is to live on. Of more than KIN_SPARED_MAX the
 * oldest are forgotten, and become nobody's. Returns 0 or -ENOMEM.
 */
int kin_spare(struct kin *k, const char *id);

void kin_save(const struct kin *k, struct state_writer *w);
void kin_load(struct kin *k, struct state_reader *r);

#endif
