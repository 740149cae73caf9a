/*
 * dispatch - job type to handler; start it; account for the slot.
 *
 * A job takes a slot when it arrives and gives it back when its program has
 * ended. A job whose handler is already running as often as it may (its own
 * `concurrency`) cannot be given back to a stock server, so it is held: it
 * keeps its slot, its reservation goes on, and it starts when another job of
 * that handler ends, or fails with errtype Timeout when too little time is
 * left. One whose handler's breaker is open is held likewise: see
 * supervisor/gate. So is one whose last run here, which the server has given
 * away, is still being ended. While more than a quarter of all slots are held,
 * no jobs should be asked for (dispatch_room() is 0): they are better off with
 * another worker.
 * Who wants to know which jobs are here asks supervisor/joblist.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DISPATCH_H
#define SUPERVISOR_DISPATCH_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "handlers/spawner.h"
#include "supervisor/generation.h"
#include "supervisor/report.h"
#include "supervisor/scratch.h"

struct dispatch;
struct metrics;
struct output_files;

/* All borrowed. */
struct dispatch_parts {
	struct ev_loop *loop;
	struct spawner *spawner;
	struct scratch *scratch;
	struct report *const *reports; /* one for each server */
	const char *wid;               /* begins every dispatch id */
	struct metrics *metrics;       /* NULL: nothing is counted */
	bool outlive;                  /* programs go on when our threads end */
	struct kin *kin;               /* NULL: what breaks away is not found */
	struct cgroups *cgroups; /* NULL: programs have no group of their own */
	struct output_files *files; /* NULL: no output is kept in files */
};

/* ended is called whenever a job has given back its slot. Holds first. */
struct dispatch *dispatch_new(const struct dispatch_parts *parts,
    struct generation *first, void (*ended)(void *ctx), void *ctx);

/*
 * Jobs that arrive from now on live by this generation, which is held; those
 * that are here keep theirs. Returns 0; -ENOMEM and nothing has changed.
 */
int dispatch_reload(struct dispatch *d, struct generation *next);

/* Only when dispatch_busy() is 0, or the process is about to end. Accepts
 * NULL. */
void dispatch_free(struct dispatch *d);

/*
 * Takes up a job; bytes are copied. asked_at: clock_mono() before its FETCH.
 * server: which of the reports it belongs to. False, which is logged: it is no
 * job, or there is no memory for it.
 */
bool dispatch_take(struct dispatch *d, size_t server, const char *bytes,
    size_t len, int64_t asked_at);

/* How many jobs may be taken up now. */
size_t dispatch_room(const struct dispatch *d);

/*
 * How many of them may come from this queue; SIZE_MAX: any number. 0: leave it
 * alone, since as many are here as may, or since the breakers of all handlers
 * that it serves are open.
 */
size_t dispatch_places(const struct dispatch *d, const char *queue);

/*
 * How many jobs of this queue would start at once whatever jobs they are; as
 * many slots taken for granted. SIZE_MAX: any number.
 */
size_t dispatch_sure(const struct dispatch *d, const char *queue);

/* Whether a handler that this queue serves works. */
bool dispatch_serves(const struct dispatch *d, const char *queue);

/* Jobs that have a slot: starting, running, held. */
size_t dispatch_busy(const struct dispatch *d);
size_t dispatch_held(const struct dispatch *d);

/*
 * Whether the programs that have slots use up the processors, so that one more
 * would only wait for its turn: see supervisor/saturation.
 */
bool dispatch_is_crowded(const struct dispatch *d);

/* Jobs that were ended because the server had given them away. */
uint64_t dispatch_lost(const struct dispatch *d);

/* Who wants a job ended. */
enum cancel_reason {
	CANCEL_USER,   /* the operator of this supervisor */
	CANCEL_SERVER, /* somebody, by way of the server */
	CANCEL_LOST,   /* the server has given the job away */
};

/*
 * Ends a job: its program gets TERM, its grace and KILL; a held job is not
 * run. It fails with errtype Cancelled. A lost job gets KILL at once, since
 * its successor may be running already, and nothing is reported: whatever we
 * said would be about the successor. The reason ("user", "server", "lost") is
 * first written into the file `cancel` of the job's private directory.
 * Returns 0, or -ENOENT when no such job is here; one that is ending already
 * counts as here.
 */
int
dispatch_cancel(struct dispatch *d, const char *jid, enum cancel_reason reason);

/* The same for a job of this server: two may use one jid. */
int dispatch_cancel_of(struct dispatch *d, size_t server, const char *jid,
    enum cancel_reason reason);

/*
 * The end of the work: programs get TERM and their grace, then KILL; with
 * dispatch_kill() KILL at once. They, the held jobs and those that still
 * arrive are given back, or fail with errtype Shutdown. What may finish by
 * shutdown.ephemeral is only stopped by dispatch_kill().
 */
void dispatch_interrupt(struct dispatch *d);
void dispatch_kill(struct dispatch *d);

/* Whether a program is at work that dispatch_interrupt() lets finish. */
bool dispatch_waits(const struct dispatch *d);

/* While paused nothing is started: what could be is held. */
void dispatch_pause(struct dispatch *d);
void dispatch_resume(struct dispatch *d);

/*
 * All jobs, for the program that takes our place; when paused and nothing is
 * starting. dispatch_load() into a new one without jobs, paused: what cannot
 * be carried on is killed and told. Returns how many jobs go on.
 */
void dispatch_save(const struct dispatch *d, struct state_writer *w);
size_t dispatch_load(struct dispatch *d, struct state_reader *r,
    const char *(*lookup)(const char *name));

/* After dispatch_load(): the server that was number i is number now_at[i]. */
void dispatch_renumber(struct dispatch *d, const size_t *now_at, size_t n);

#endif
