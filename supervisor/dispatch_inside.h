/*
 * dispatch_inside - what dispatch is made of.
 *
 * For supervisor/dispatch.c, joblist.c, carry.c and ending.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DISPATCH_INSIDE_H
#define SUPERVISOR_DISPATCH_INSIDE_H

#include "handlers/run.h"
#include "supervisor/dispatch.h"
#include "supervisor/joblist.h"
#include "supervisor/lane.h"
#include "supervisor/task.h"

struct dispatch {
	struct tasks all; /* by link */
	size_t busy;
	size_t held;
	struct lanes lanes;
	uint64_t dispatched;
	uint64_t lost;
	bool closed; /* nothing is started any more */
	bool paused; /* nor just now */

	struct dispatch_parts parts;
	void (*ended)(void *ctx);
	void *ctx;
	joblist_began *began; /* NULL: nobody watches */
	void *watcher;
};

/* The job of this name that is ours, or NULL. */
struct task *dispatch_find(const struct dispatch *d, const char *jid);

/* Valid as long as nothing is done to the job. */
struct joblist_job joblist_describe(const struct task *t);

/* Puts a job into its lane, to be started later. */
void dispatch_hold(struct task *t);

/* Of every job's run; ctx is its task. */
extern const struct run_hooks dispatch_run_hooks;

#endif
