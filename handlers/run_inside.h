/*
 * run_inside - what a run is made of.
 *
 * For handlers/run.c, run_end.c, run_output.c and run_carry.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_RUN_INSIDE_H
#define HANDLERS_RUN_INSIDE_H

#include "handlers/outlet.h"
#include "handlers/run.h"
#include "handlers/tail.h"
#include "handlers/tree.h"

enum run_state {
	STARTING, /* no process yet; a stop is remembered */
	RUNNING,  /* the timer is the first reading, then the deadline */
	STOPPING, /* TERM was sent; the timer is the end of the grace */
	KILLED,   /* KILL was sent; no timer */
	/* From here on the leader is a zombie. */
	LINGERING, /* what it left may go on; the timer is the next look */
	DRAINING,  /* the timer is the end of RUN_DRAIN */
	SWEEPING,  /* what it left was sent KILL; the timer is the next look */
	/* It is reaped; its namespace's init ends. The timer is `until`. */
	BURYING,
};

struct run {
	enum run_state state;
	const struct run_request *req; /* borrowed until done */
	const struct run_hooks *hooks; /* borrowed until done */
	struct spawn_request spawn;    /* req's, with what we add */
	struct err scope_why;          /* of its transient unit */
	void *ctx;
	struct ev_loop *loop;

	pid_t pid; /* 0 exactly in STARTING */
	struct tree tree;
	int pidfd;
	int in;            /* -1 when all is written, or nobody reads */
	const char *input; /* what is not fed yet; borrowed, or */
	size_t input_len;
	char *carried;                      /* in this, owned */
	struct outlet outlets[RUN_STREAMS]; /* by enum run_stream */
	bool reading;                       /* they are watched */
	ev_io writable;
	ev_io ended;

	ev_timer timer;
	int64_t due; /* clock_mono(); what timer is set to */
	int64_t deadline;
	int64_t grace; /* of a stop that came while STARTING */
	int64_t until; /* LINGERING: to TERM or KILL; SWEEPING: to giving up */
	int64_t pause; /* ns between two looks */

	int64_t began;
	int64_t written;   /* bytes of stdout and stderr */
	struct tail *tail; /* owned */
	struct run_facts facts;
};

/* With nothing started; NULL when memory is short. */
struct run *run_new(struct ev_loop *loop, const struct run_request *req);

/* Its memory; what is open must have been closed. */
void run_free(struct run *r);

/* The first one stays. */
void run_give_reason(struct run *r, enum run_reason reason);

/* Of its outlets; their ctx is the run. */
extern const struct outlet_hooks run_outlet_hooks;

/* Everything that it writes is read as it comes. */
void run_read(struct run *r);

/* What its pipes can hold is read now, and then their ends. */
void run_pull(struct run *r);

/* Whether all of them have come to their end. */
bool run_is_silent(const struct run *r);

/* Once its leader has ended and it is silent. May free r. */
void run_finish_if_over(struct run *r);

/* due: clock_mono(). */
void run_set_timer(struct run *r, int64_t due);

#endif
