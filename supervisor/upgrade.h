/*
 * upgrade - become the executable that is on disk now, without ending a job.
 *
 *   IDLE --start--> CHECKING --it says yes--> CALMING --calm--> exec
 *     ^                |                         |
 *     +--- refused, 15 s -----------+--- 5 s, exec failed
 *
 * The new program is first run with --upgrade-check, beside the work: it
 * reads the configuration and says whether it can go on from our state. Then
 * nothing new is begun until no job is on its way, and the process goes on as
 * the new program, with the same pid, the same children and their pipes.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_UPGRADE_H
#define SUPERVISOR_UPGRADE_H

#include <ev.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/state.h"
#include "handlers/spawner.h"

struct upgrade;

struct upgrade_hooks {
	/* Begin nothing new; only from CALMING on. */
	void (*pause)(void *ctx);
	/* Whether nothing is on its way that exec would cut. */
	bool (*calm)(void *ctx);
	/* Everything that goes on. */
	void (*save)(void *ctx, struct state_writer *w);
	/* It was given up: go on as before. May not have been paused. */
	void (*given_up)(void *ctx);
};

/*
 * argv: what the new program is started with, the program's name first;
 * secrets: what it reads from its standard input while it checks. All
 * borrowed. Returns NULL when memory is short.
 */
struct upgrade *
upgrade_new(struct ev_loop *loop, struct spawner *spawner, char *const *argv,
    const struct buf *secrets, const struct upgrade_hooks *hooks, void *ctx);

/* Accepts NULL. */
void upgrade_free(struct upgrade *u);

/* Whether the file we were started from is another one by now. */
bool upgrade_waits(const struct upgrade *u);

/* Repetitions change nothing. */
void upgrade_start(struct upgrade *u);

bool upgrade_at_work(const struct upgrade *u);

#endif
