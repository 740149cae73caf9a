/*
 * run - one program from start to end: fed, drained, timed, stopped, reaped.
 *
 * A run is over when the program's process has ended, its output has been
 * read to the end, in either order, and nothing that it started is alive. What
 * a left-over grandchild still holds open delays the end by no more than
 * RUN_DRAIN. Then, whether or not anything was held open, the rest of the tree
 * is killed and the leader is reaped, in this order: as long as the leader is
 * a zombie, the number of its group belongs to nobody else. Every stop is TERM
 * to the group (and CONT, for the programs that are stopped), the grace, KILL
 * to the tree.
 *
 *   STARTING --spawned--> RUNNING --ended--> DRAINING --EOF, RUN_DRAIN-.
 *                            |  deadline, run_stop()  ^                |
 *                            v                        |            SWEEPING
 *                         STOPPING --grace--> KILLED -'                |
 *                            '------------ended-------'     none left, RUN_REAP
 *                                                                      v
 *   With RUN_LEFT_WAIT, LINGERING stands before DRAINING;             over
 *   with a process namespace, BURYING before the end: until the kernel says
 *   that nothing is in it any more.
 *
 * The process must ignore SIGPIPE: a program may close its stdin at any time.
 * The loop must not be libev's default loop: see handlers/spawner.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_RUN_H
#define HANDLERS_RUN_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/state.h"
#include "handlers/cgroup.h"
#include "handlers/kin.h"
#include "handlers/spawner.h"

/*
 * ns from its start until what a program has written is first read. Most that
 * end sooner have then said all they had to say: it is read at their end, and
 * the loop need not wake up for each stream of theirs.
 */
#define RUN_FIRST_READ INT64_C(5000000)
#define RUN_DRAIN      INT64_C(2000000000) /* ns after the leader's end */
#define RUN_REAP       INT64_C(5000000000) /* ns for a tree to die of KILL */

enum {
	RUN_LINE_MAX = 16 * 1024, /* longer lines come in pieces */
	RUN_TAIL_MAX = 64 * 1024, /* of stderr, kept for the error text */
};

enum run_stream { RUN_STDOUT, RUN_STDERR, RUN_CONTROL, RUN_STREAMS };

/* What becomes of processes that are alive when the program has ended. */
enum run_leftover {
	RUN_LEFT_KILL,
	RUN_LEFT_WAIT, /* the run goes on, to the deadline, until all ended */
	RUN_LEFT_WARN, /* nothing; they go on. Not in a namespace of its own */
};

/* Why we ended it; the first reason stays. */
enum run_reason {
	RUN_BY_ITSELF,
	RUN_TIMEOUT,
	RUN_OUTPUT_LIMIT,
	RUN_STALLED, /* no sign of life for too long */
	RUN_SHUTDOWN,
	RUN_CANCELLED,
	RUN_LOST, /* the reservation is gone */
};

struct run_request {
	struct spawn_request spawn;
	const char *input; /* bytes for stdin; ignored without spawn.feed */
	size_t input_len;
	int64_t deadline;     /* clock_mono(); when TERM is sent */
	int64_t grace;        /* ns from TERM to KILL */
	int64_t output_limit; /* bytes of both streams together; 0: none */
	/* What is above the limit is no line any more, but still in the tail. */
	bool kill_at_limit;
	size_t message_max; /* with spawn.control: the longest whole message */
	/* NULL: only the process group is known; the next two need it. */
	struct kin *kin;
	const char *id; /* the value of KIN_VARIABLE in its environment */
	enum run_leftover leftover;
	/*
	 * NULL: none is made for it; else id names it. NULL with spawn.scope,
	 * whose unit has one.
	 */
	struct cgroups *cgroups;
	struct cgroup_limits limits;
};

/* What happened, for handlers/verdict. */
struct run_facts {
	bool started; /* else why says why not */
	struct spawn_failure why;
	/* Instead of why.errnum, where there is more to say than an errno; else
	 * NULL. Borrowed during the call. */
	const char *why_text;
	int status; /* as wait(2) gives it */
	enum run_reason reason;
	bool killed;         /* the grace passed: KILL was needed */
	bool spoke;          /* something came on the control descriptor */
	bool output_cut;     /* more than output_limit was written */
	bool held_open;      /* output, after RUN_DRAIN */
	size_t left;         /* processes alive when it ended by itself */
	bool survived;       /* something was alive after RUN_REAP */
	bool out_of_memory;  /* its limits.memory_max was reached */
	int64_t elapsed;     /* ns from spawn to the leader's end */
	struct rusage usage; /* of the leader and what it waited for */
	const char *tail;    /* end of stderr; borrowed during the call */
	size_t tail_len;
};

struct run_hooks {
	/*
	 * One line of output without its line end, at most RUN_LINE_MAX bytes,
	 * borrowed during the call; `more`: the line goes on in the next call.
	 */
	void (*line)(void *ctx, enum run_stream stream, const char *bytes,
	    size_t len, bool more);
	/*
	 * The same for the control descriptor, with message_max. What comes
	 * there counts neither for output_limit nor for the tail. May be NULL
	 * without spawn.control.
	 */
	void (*message)(void *ctx, const char *bytes, size_t len, bool more);
	/*
	 * It is about to hear TERM, for this reason. May do nothing to the
	 * run. May be NULL.
	 */
	void (*stopping)(void *ctx, enum run_reason reason);
	/* Called once, last; the run is freed when it returns. */
	void (*done)(void *ctx, const struct run_facts *facts);
};

struct run;

/*
 * Starts a program. req, what it points at, hooks and ctx are borrowed until
 * done has been called. Returns NULL when memory is short; then no hook is
 * called. A program that cannot be started is told by done, never before
 * this function has returned.
 */
struct run *run_start(struct ev_loop *loop, struct spawner *spawner,
    const struct run_request *req, const struct run_hooks *hooks, void *ctx);

/*
 * TERM now, KILL after `grace` ns. A second call can only make it sooner.
 * For a run that is still starting it takes effect once it has started; for a
 * program that has already ended, never.
 */
void run_stop(struct run *r, enum run_reason reason, int64_t grace);

/* Moves the deadline. */
void run_set_deadline(struct run *r, int64_t deadline);

/* Whether it was told to stop, by us or by a limit. */
bool run_is_stopped(const struct run *r);

/* 0 while it has not started. */
pid_t run_pid(const struct run *r);

/* Whether this child of ours is the program, or the init of its namespace. */
bool run_owns(const struct run *r, pid_t pid);

/*
 * A run that has started, for the program that takes our place: with its
 * descriptors, its times, and what it said so far. After run_save() the run
 * must not turn any more, or the state is abandoned. run_load() is as
 * run_start(), but req's input and spawn are not looked at; NULL when memory
 * is short or the state is bad.
 */
void run_save(const struct run *r, struct state_writer *w);
struct run *run_load(struct ev_loop *loop, struct state_reader *from,
    const struct run_request *req, const struct run_hooks *hooks, void *ctx);

#endif
