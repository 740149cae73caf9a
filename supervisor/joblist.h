/*
 * joblist - the jobs that are here, for those who ask.
 *
 * It changes nothing: what happens to a job is for supervisor/dispatch.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOBLIST_H
#define SUPERVISOR_JOBLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/tap.h"

struct dispatch;
struct metrics;

enum joblist_state {
	JOBLIST_HELD,     /* waits for its handler's concurrency or breaker */
	JOBLIST_STARTING, /* its program is being started */
	JOBLIST_RUNNING,
	JOBLIST_ENDING, /* its program has been told to stop */
};

/* Everything is borrowed during the call. Times are clock_mono(). */
struct joblist_job {
	const char *jid; /* any bytes but NUL, as the next two */
	const char *jobtype;
	const char *queue;
	const char *dispatch; /* the dispatch's id; "": not run yet */
	int64_t attempt;      /* 1: the first */
	bool lost;            /* its server has given it away */
	enum joblist_state state;
	pid_t pid;        /* 0: none yet */
	int64_t taken;    /* when it was asked for */
	int64_t started;  /* 0: not yet */
	int64_t deadline; /* when TERM is sent; of a held job: when it is
	                     refused */
	double percent;   /* that its program told last; -1: none */
	const char *desc; /* likewise; "": none */
	struct tap *tap;  /* valid until the job has ended, which its
	                     listeners hear */
};

const char *joblist_state_name(enum joblist_state s);

/*
 * Every job, the oldest first, until `each` returns false; it must not change
 * anything about a job but its tap's listeners.
 */
typedef bool joblist_each(void *ctx, const struct joblist_job *job);
void joblist_walk(const struct dispatch *d, joblist_each *each, void *ctx);

/* How many of them are of this server. */
size_t joblist_count(const struct dispatch *d, size_t server);

/* The job of this name. Returns whether there is one. */
bool joblist_find(
    const struct dispatch *d, const char *jid, struct joblist_job *job);

/* Whenever a job's program is being started; it has printed nothing yet. One
 * watcher, NULL: none any more. */
typedef void joblist_began(void *ctx, const struct joblist_job *job);
void joblist_watch(struct dispatch *d, joblist_began *began, void *ctx);

/* Tells the metrics which jobs are here now. */
void joblist_tell_work(const struct dispatch *d, struct metrics *m);

/*
 * Every handler of the newest generation whose breaker is not closed, in the
 * order of the file, until `each` returns false.
 */
struct breaker;
typedef bool
joblist_each_breaker(void *ctx, const char *jobtype, const struct breaker *b);
void joblist_walk_breakers(
    const struct dispatch *d, joblist_each_breaker *each, void *ctx);

/* Programs that are being started just now. */
size_t joblist_starting(const struct dispatch *d);

/* Whether a child of this process is the program of a job. */
bool joblist_owns(const struct dispatch *d, pid_t pid);

#endif
