/*
 * lane - what the jobs of one jobtype share: how many run, and who waits.
 *
 * For supervisor/dispatch.c, stops.c and gate.c. A lane outlives a reload, so
 * that a handler's `concurrency` counts the programs that an older generation
 * started. A lane whose jobtype the newest generation does not have is closed:
 * it goes when its last job has.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_LANE_H
#define SUPERVISOR_LANE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "supervisor/breaker.h"
#include "supervisor/generation.h"
#include "supervisor/output.h"

struct task;
TAILQ_HEAD(tasks, task);

struct lane {
	struct generation *generation; /* held; of how */
	const struct handler *how;     /* the newest that there was */
	int64_t running;
	struct tasks held; /* by queued */
	struct output output;
	struct breaker breaker;
	bool closed;
};

/* All lanes of a generation. Zeroed: none yet. */
struct lanes {
	struct generation *generation; /* held */
	struct lane **of;              /* as its settings' handlers; owned */
};

/*
 * Goes on with this generation: lanes are kept by jobtype, made and closed.
 * Returns 0; -ENOMEM and nothing has changed.
 */
int lanes_take(struct lanes *l, struct generation *next);

/* Frees the lanes that are not closed; none may have jobs. */
void lanes_clear(struct lanes *l);

/* The lane of a handler of the newest generation. Borrowed. */
struct lane *lanes_find(const struct lanes *l, const struct handler *how);

/*
 * The lane for a job whose jobtype the newest generation may not have: then a
 * closed one, which the job must enter at once. NULL when memory is short.
 */
struct lane *lanes_find_or_close(
    const struct lanes *l, struct generation *g, const struct handler *how);

/* Whether no more of it may run. */
bool lane_is_full(const struct lane *lane);

/* Frees a closed lane without jobs; to be called when one has left. */
void lane_settle(struct lane *lane);

#endif
