/*
 * lifecycle - signals, drain, order of shutdown.
 *
 *   RUNNING <--> QUIET         TSTP, the operator's quiet, the server's
 *      |          |
 *      +----------+--> DRAINING     TERM, INT, or the server says terminate;
 *                         |         or nothing is at work after a drain
 *                         |  shutdown.grace is over, or a second signal
 *                         +--> STOPPING    programs get TERM and their grace
 *                         |       |    (it lasts as long as one may finish)
 *                         |       |  a third signal
 *                         |       +--> KILLING    no grace
 *                         v       v       v
 *                       REPORTING    nothing at work; at most 10 s
 *                         v
 *                        OVER
 *
 * Jobs that a FETCH in flight still brings are run while DRAINING and fail
 * with errtype Shutdown later; the reply is waited for, since a conversation
 * closed under a FETCH may swallow a job. It decides when; what is done is
 * the supervisor's.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_LIFECYCLE_H
#define SUPERVISOR_LIFECYCLE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/* Seconds: for what does not die of KILL (a hung disk), and for outcomes to be
 * confirmed once nothing is at work any more. */
enum { LIFECYCLE_KILL_LIMIT = 10, LIFECYCLE_REPORT_LIMIT = 10 };

enum lifecycle_phase {
	LIFECYCLE_RUNNING,
	LIFECYCLE_QUIET,
	LIFECYCLE_DRAINING,
	LIFECYCLE_STOPPING,
	LIFECYCLE_KILLING,
	LIFECYCLE_REPORTING,
	LIFECYCLE_OVER,
};

/*
 * Who wants that no more jobs are fetched. What the operator of this host
 * wants can be taken back; a server does not take back what it said.
 */
enum lifecycle_quiet {
	QUIET_BY_OPERATOR = 1,
	QUIET_BY_SERVER = 2,
	QUIET_TO_THE_END = 4, /* the operator's too: and end after the last */
	QUIET_ALL = 7,
};

struct lifecycle;

struct lifecycle_hooks {
	/*
	 * A phase was entered. QUIET whenever somebody else wants it, RUNNING
	 * after it when nobody does any more; all others at most once, in
	 * this order.
	 */
	void (*entered)(void *ctx, enum lifecycle_phase phase);
	/* Jobs, or questions that may bring one. */
	bool (*at_work)(void *ctx);
	/* Outcomes that the server has not confirmed. */
	bool (*unreported)(void *ctx);
	/* A program that STOPPING lets finish. May be NULL. */
	bool (*waits)(void *ctx);
	/* HUP: read the configuration again. Not from DRAINING on. */
	void (*reload)(void *ctx);
	/* USR2: become the executable on disk. Likewise. */
	void (*upgrade)(void *ctx);
};

struct lifecycle_times {
	int64_t drain; /* ns: shutdown.grace */
	int64_t stop;  /* ns: the longest grace of a handler */
};

/*
 * Watches the signals from now on; hooks and ctx are borrowed. Returns NULL
 * when memory is short.
 */
struct lifecycle *
lifecycle_new(struct ev_loop *loop, const struct lifecycle_times *times,
    const struct lifecycle_hooks *hooks, void *ctx);

/* For the phases that have not begun. */
void
lifecycle_set_times(struct lifecycle *l, const struct lifecycle_times *times);

/* Accepts NULL. */
void lifecycle_free(struct lifecycle *l);

enum lifecycle_phase lifecycle_phase(const struct lifecycle *l);

/* by: enum lifecycle_quiet, one or several. Repetitions change nothing. */
void lifecycle_quiet(struct lifecycle *l, unsigned by);

/* Who wants it; 0: nobody. */
unsigned lifecycle_quiet_by(const struct lifecycle *l);

/*
 * Takes back what the operator said. Returns 0; or a negative errno and
 * nothing has changed: -EPERM when the server wants it too, -EALREADY when
 * nobody does, -ESHUTDOWN from DRAINING on.
 */
int lifecycle_unquiet(struct lifecycle *l);

/* The server's wish, or a signal's. Repetitions change nothing. */
void lifecycle_terminate(struct lifecycle *l);

/* To be called whenever there may be nothing left to wait for. */
void lifecycle_check(struct lifecycle *l);

#endif
