/*
 * fetch - ask for the next job when a slot is free.
 *
 * One conversation asks, and may wait up to 2 s in the server for an answer.
 * It asks for one job, or for several where the server offers that (fetchb).
 * More of them, up to FETCH_LINES, are opened only while jobs come at once
 * and slots stay free all the same: then the round trip is the limit. The
 * ones that are no longer needed are ended after a minute.
 *
 * Where several can be asked for and the processors have enough to do, a
 * question waits up to FETCH_GATHER for more slots to become free: one question
 * and one commit of the server then bring jobs for all of them.
 *
 * Where the server offers that (held), it is told which jobs are here before it
 * is asked for any, and again after a question whose answer was lost: what it
 * has reserved beyond them goes back at once. No question is open meanwhile,
 * and all conversations but the one that tells begin anew.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_FETCH_H
#define SUPERVISOR_FETCH_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/settings.h"
#include "supervisor/identity.h"

/* With the one that reports: no more than four to a server. */
enum { FETCH_LINES = 3 };

/* Below REPORT_GATHER: outcomes go with the question and not just before. */
#define FETCH_GATHER 0.004 /* s */

struct fetch;

struct fetch_hooks {
	/* How many jobs may be taken now; those already asked for are not
	 * subtracted. 0: do not ask. */
	size_t (*room)(void *ctx);
	/*
	 * How many of them may come from this queue, likewise. 0: the queue is
	 * left out of the question. NULL: any number from any queue.
	 */
	size_t (*places)(void *ctx, const char *queue);
	/*
	 * How many jobs of this queue would start at once whatever jobs they
	 * are, likewise: more than one are asked for only within that. NULL:
	 * any number.
	 */
	size_t (*sure)(void *ctx, const char *queue);
	/*
	 * A job; bytes are borrowed during the call. asked_at (clock_mono())
	 * is before its reservation began. Returns whether it is one: a server
	 * that sends nothing else is asked again after a rest.
	 */
	bool (*got)(void *ctx, const char *bytes, size_t len, int64_t asked_at);
	/* A question was answered, or lost, without a job that is one. */
	void (*none)(void *ctx);
	/*
	 * Appends the HELD line of all jobs that are here, at work, waiting or
	 * with an outcome that is not confirmed. 0; -EAGAIN: it must not be
	 * said now, and nothing is asked for until it may; -ENOMEM, -ENOBUFS.
	 * NULL: it is never said.
	 */
	int (*held)(void *ctx, struct buf *line);
	/*
	 * Whether another program would only wait for a processor. NULL: never;
	 * and when a question has waited for that reason and is about to go
	 * out, so that what else has waited goes with it.
	 */
	bool (*crowded)(void *ctx);
	void (*waited)(void *ctx);
};

/* who, settings, hooks, ctx: borrowed. Returns NULL when memory is short. */
struct fetch *fetch_new(struct ev_loop *loop, const struct identity *who,
    const struct settings *settings, const struct fetch_hooks *hooks,
    void *ctx);

/*
 * Asks for the queues of these settings from now on; borrowed until the next
 * call. Returns 0; -ENOMEM and nothing has changed.
 */
int fetch_reload(struct fetch *f, const struct settings *settings);

/* Accepts NULL. */
void fetch_free(struct fetch *f);

/* Asks as often as there is room. To be called whenever there may be more. */
void fetch_poke(struct fetch *f);

/* Conversations that rest after a failure dial at once: what they failed by
 * may be over. Not from one of f's hooks. */
void fetch_hurry(struct fetch *f);

/* Questions since the start. */
uint64_t fetch_asked(const struct fetch *f);

/* Questions not yet answered: each may still bring a job. With the HELD that
 * is under way. */
size_t fetch_in_flight(const struct fetch *f);

/* clock_mono() when the oldest of them was asked; INT64_MAX: there is none. */
int64_t fetch_asked_since(const struct fetch *f);

/* Jobs that they may still bring. */
size_t fetch_wanted(const struct fetch *f);

/* Whether a HELD is under way. */
bool fetch_is_telling(const struct fetch *f);

/*
 * Whether an answer was lost lately, and its server can be told which jobs are
 * here, and has not been: its conversations should not be ended.
 * fetch_could_tell(): fetch_poke() would do it now, if that may be said.
 */
bool fetch_owes_word(const struct fetch *f);
bool fetch_could_tell(const struct fetch *f);

/*
 * Say END on all conversations. Only when nothing is in flight. After
 * fetch_hang_up() the next fetch_poke() dials again; not from one of f's hooks.
 */
void fetch_hang_up(struct fetch *f);
void fetch_end(struct fetch *f);

#endif
