/*
 * talk - what a running program says to us by messages, and what we make of it.
 *
 * One for each run. A line that is no message is counted, told (at most
 * TALK_COMPLAINTS a second) and ignored: it never fails the job. handlers/
 * message knows what a message looks like; here it gets its meaning.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_TALK_H
#define SUPERVISOR_TALK_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/state.h"
#include "config/settings.h"
#include "handlers/message.h"
#include "handlers/run.h"
#include "supervisor/followups.h"
#include "supervisor/output.h"
#include "supervisor/printed.h"

enum {
	TALK_COMPLAINTS = 10,                 /* a second and run */
	TALK_FIELDS_MAX = JOB_LOG_FIELDS_MAX, /* of a `log` message */
	TALK_NAME_MAX = 32,                   /* bytes of such a field's name */
	TALK_DESC_MAX = 256, /* bytes of a `progress`; more is cut */
};

struct metrics;

/* All borrowed, until talk_end(); log until talk_clear(). */
struct talk_parts {
	struct ev_loop *loop;
	struct run *run;
	struct output *output;   /* its log_rate holds for `log`, too */
	struct metrics *metrics; /* NULL: what it reports goes nowhere */
	const struct handler *how;
	const struct job_log *log;
	const char *dispatch; /* its id: begins the jids of follow-up jobs */
	int64_t deadline;     /* clock_mono(), as the next */
	int64_t latest;       /* the deadline never gets beyond it */
	int64_t grace;        /* ns from TERM to KILL of a stalled program */
};

/* Zeroed at first. To be read only, from outside. */
struct talk {
	struct talk_parts parts;
	bool within;    /* a line that was too long goes on */
	int64_t began;  /* clock_mono(), as the next; 0: not yet */
	int64_t alive;  /* the last sign of life */
	ev_timer stall; /* active exactly with a stall_timeout */

	uint64_t ignored; /* lines */
	int64_t second;   /* clock_mono() when this second began */
	int told;         /* complaints in this second */

	bool progressed;
	double percent;           /* the last that was given; -1: none */
	char desc[TALK_DESC_MAX]; /* likewise; "": none */
	char *result;             /* the last, compact JSON; owned, or NULL */
	char *error_line;         /* likewise; what error points into */
	size_t error_len;
	struct message error;
	struct followups then;
	struct printed printed; /* with stdout: result */
};

/*
 * To be called right after run_start() or run_load(): no line has come yet.
 * What talk_load() has read goes on.
 */
void talk_start(struct talk *t, const struct talk_parts *parts);

/* For a successor; talk_load() fills a zeroed talk. */
void talk_save(const struct talk *t, struct state_writer *w);
void talk_load(struct talk *t, struct state_reader *r);

/* As run_hooks.message. */
void talk_line(struct talk *t, const char *bytes, size_t len, bool more);

/* The same for a line of standard output that is part of the result. */
void talk_print(struct talk *t, const char *bytes, size_t len, bool more);

/*
 * The run is over; tells how many lines were ignored, if any. What was printed
 * becomes the result, unless a message gave one, or output_cut: a part of the
 * output was dropped.
 */
void talk_end(struct talk *t, bool output_cut);

/* The last error that it told of, or NULL. Valid until talk_clear(). */
const struct message *talk_error(const struct talk *t);

/* Why it cannot count as done: a job could not be taken; or NULL. Likewise. */
const char *talk_refusal(const struct talk *t);

/* Tells of an error that the program sent and then succeeded, if it did. */
void talk_tell_unused(const struct talk *t);

/* After talk_end(), or without talk_start(). */
void talk_clear(struct talk *t);

#endif
