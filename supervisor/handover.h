/*
 * handover - from one program to the next in the same process.
 *
 * The state travels in a memfd(2) whose number is in the environment; the
 * descriptors that the state names are inherited under their numbers, all
 * others are closed by exec. Signals are blocked across it, so that none is
 * lost and none ends the successor before it can listen.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HANDOVER_H
#define SUPERVISOR_HANDOVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/state.h"

enum {
	/* Of everything that is saved: any change of any noun's fields. */
	HANDOVER_VERSION = 14,
	HANDOVER_MAX = 1 << 30, /* bytes */
};

#define HANDOVER_VARIABLE "FAKTOTUM_HANDOVER"

/* Becomes path. Returns only when that failed, with *e set. */
int handover_exec(const struct state_writer *w, const char *path,
    char *const *argv, struct err *e);

struct handover {
	char *bytes; /* owned: handover_clear() */
	struct state_reader reader;
};

/*
 * Whether somebody has handed over to us: 1 and h->reader reads what was
 * saved; 0 nobody has; a negative errno with *e set when the state is damaged
 * or of another version. The variable is gone afterwards.
 */
int handover_take(struct handover *h, struct err *e);
void handover_clear(struct handover *h);

/*
 * Kills and reaps the children of this process that nobody answers for, with
 * their groups: programs of jobs whose state could not be read. owns may be
 * NULL. Returns how many.
 */
size_t handover_orphan(bool (*owns)(void *ctx, pid_t pid), void *ctx);

/*
 * Signals wait, until somebody can hear them: HUP and USR2 would end a process
 * that is just starting. And they come through again.
 */
void handover_hush(void);
void handover_listen(void);

#endif
