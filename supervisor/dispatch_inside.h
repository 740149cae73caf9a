/*
 * dispatch_inside - what dispatch is made of.
 *
 * For supervisor/dispatch.c, joblist.c, carry.c, gate.c, places.c,
 * stops.c and ending.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DISPATCH_INSIDE_H
#define SUPERVISOR_DISPATCH_INSIDE_H

#include "handlers/run.h"
#include "supervisor/crashes.h"
#include "supervisor/dispatch.h"
#include "supervisor/joblist.h"
#include "supervisor/lane.h"
#include "supervisor/saturation.h"
#include "supervisor/task.h"

struct dispatch {
	struct tasks all; /* by link */
	size_t busy;
	size_t held;
	struct lanes lanes;
	ev_timer gate; /* active while a breaker, or who waits for it, will be
			  due */
	size_t broken; /* lanes whose breaker is not closed */
	struct crashes crashes;
	struct saturation saturation;
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

/* Starts a job that is in no lane's list; it may fail instead. */
void dispatch_start(struct task *t);

/*
 * Whether a program that was started for the same job is being ended, since the
 * server had given the job away: it must not start before that one is gone.
 */
bool dispatch_still_ends(const struct task *t);

/* Starts what may start in this lane. */
void dispatch_start_next(struct dispatch *d, struct lane *lane);

/* The job fails without a program having run, and is gone. */
void dispatch_refuse(struct task *t, const char *errtype, const char *message);

/* Likewise, but it is given back where the server can do that. */
void
dispatch_give_back(struct task *t, const char *errtype, const char *message);

/* The job is not run, since we end: it is given back, and is gone. */
void dispatch_return(struct task *t);

/* Gives the slot and the directory back. The task is gone. */
void dispatch_leave(struct task *t);

/* Of every job's run; ctx is its task. */
extern const struct run_hooks dispatch_run_hooks;

#endif
