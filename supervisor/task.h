/*
 * task - one fetched job on its way through this process.
 *
 * For supervisor/dispatch.c and the files that it is made of (dispatch_inside),
 * which decide what happens to it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_TASK_H
#define SUPERVISOR_TASK_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/state.h"
#include "config/settings.h"
#include "handlers/run.h"
#include "protocol/job.h"
#include "supervisor/generation.h"
#include "supervisor/identity.h"
#include "supervisor/invocation.h"
#include "supervisor/output.h"
#include "supervisor/talk.h"
#include "supervisor/timeline.h"

struct dispatch;
struct dispatch_parts;
struct lane;
struct metrics;

/* A wid, a dash, a number, a NUL. */
enum { TASK_ID_MAX = IDENTITY_WID_HEX + 1 + 20 + 1 };

struct task {
	TAILQ_ENTRY(task) link;   /* in all */
	TAILQ_ENTRY(task) queued; /* in its lane, exactly while held */
	ev_timer too_late;        /* active exactly while held */
	struct dispatch *dispatch;
	size_t server; /* where it came from */

	char *bytes; /* as received; owned, as the next four */
	size_t len;
	char *jid; /* for the log; escaped by it */
	char *jobtype;
	char *queue;
	char *dir;      /* private directory; NULL until prepared */
	struct job job; /* points into bytes */
	struct generation *generation; /* held; of how */
	const struct handler *how;
	struct lane *lane; /* borrowed: it stays while we are in it */
	struct timeline when;

	char id[TASK_ID_MAX]; /* of this dispatch */
	int64_t deadline;
	struct invocation invocation;
	struct run_request request;
	struct run *run;  /* NULL while held */
	struct talk talk; /* zeroed until started */
	bool lost;        /* not ours any more: nothing is reported */
	bool outlived;    /* something of it may be alive when it is over */
	bool probe;       /* its breaker lets this one through */
	bool tried;       /* though its breaker was open */
	int64_t patience; /* how long it waits for its breaker; 0: not yet */
	struct output_job output;
};

/*
 * Copies and reads a job. NULL with *e set when it is no job or has no jid,
 * or when memory is short. Free with task_free().
 */
struct task *task_new(struct dispatch *d, const char *bytes, size_t len,
    int64_t asked_at, struct err *e);

void task_free(struct task *t);

/*
 * Its times, of a job that was asked for at asked_at (clock_mono()). Told in
 * the log when its reservation leaves less than its handler's grace.
 */
void task_time(struct task *t, int64_t asked_at);
int64_t task_asked_at(const struct task *t);

/* For a successor; task_load() gives a task without generation, how and run. */
void task_save(const struct task *t, struct state_writer *w);
struct task *
task_load(struct dispatch *d, struct state_reader *r, struct err *e);

/* Gives a run that has just been started, or carried over, our ear. */
void task_listen(struct task *t, struct ev_loop *loop, struct metrics *metrics);

/* What a run that was started elsewhere still needs of its request. */
void task_request(struct task *t, const struct dispatch_parts *parts);

/*
 * Fills invocation and request for a start at `now`, and writes the job's
 * files; id, dir, deadline, when and how are set. Returns as files_write().
 */
int task_invoke(struct task *t, const struct environment *base,
    const struct dispatch_parts *parts, int64_t now, struct err *e);

/* Forgets a start that came to nothing; dir and run are NULL. */
void task_rewind(struct task *t);

/*
 * Leaves the reason for a stop in the file `cancel` of the private directory,
 * for a program that looks. Errors are ignored: the stop does not depend on it.
 */
void task_tell_why(const struct task *t, const char *reason);

#endif
