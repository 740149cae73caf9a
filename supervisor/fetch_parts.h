/*
 * fetch_parts - what the files that make up fetch share.
 *
 * fetch.c has the questions and the conversations, fetch_choice.c how many
 * jobs to ask for and from where, fetch_held.c what the server is told first,
 * fetch_gather.c when a question had better wait.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_FETCH_PARTS_H
#define SUPERVISOR_FETCH_PARTS_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "supervisor/client.h"
#include "supervisor/doubt.h"
#include "supervisor/fetch.h"
#include "supervisor/fetch_order.h"
#include "supervisor/holdoff.h"

struct line {
	struct fetch *fetch;
	struct client *client; /* NULL while closed, except for the first */
	size_t wanted;    /* jobs that may still come; 0: it is not asking */
	int64_t asked_at; /* while asking */
	int64_t used_at;  /* the last time it asked */
	size_t *most;     /* while asking: of them from each queue; owned */
	bool any_queue;   /* that is not known any more: it may be any */
};

struct fetch {
	struct line lines[FETCH_LINES];
	size_t in_flight; /* questions */
	size_t wanted;    /* of all lines together */
	uint64_t asked;
	unsigned streak;
	ev_timer pause;  /* active after an error: nothing is asked */
	ev_timer tidy;   /* active while more than one line is open */
	ev_timer gather; /* active while a question waits for more slots */
	bool gathered;   /* that is over */
	struct doubt doubt;
	bool telling;    /* which jobs are here */
	bool hears;      /* it can be told that, as the last question found */
	int64_t lost_at; /* the last answer that was lost; 0: none */
	bool handing;    /* jobs of one answer are being handed on */
	struct holdoff holdoff;
	char last_error[128]; /* told once, until something else happens */
	struct fetch_order *order;
	size_t *most; /* of the next question; owned */
	struct buf *request;

	struct ev_loop *loop;
	const struct identity *who;
	const struct fetch_hooks *hooks;
	void *ctx;
};

/*
 * How many jobs the next question may bring from each queue, beside those that
 * are asked for already: into most, one number for each queue of the order,
 * SIZE_MAX: any. False: none from any.
 */
bool fetch_choose_queues(const struct fetch *f, size_t *most);

/*
 * How many jobs to ask for on this line, where room is how many may be taken:
 * as many as would start at once whatever their queues send, and no more than
 * one where that is not certain. At least 1.
 */
size_t fetch_choose_jobs(const struct fetch *f, const struct line *l,
    const size_t *most, size_t room);

/*
 * Says which jobs are here when the server has to be told. Returns whether
 * nothing is to be asked for now.
 */
bool fetch_tell_first(struct fetch *f);

/*
 * Whether to ask later, where room is how many jobs may be taken: fetch_poke()
 * is called again.
 */
bool fetch_gathers(struct fetch *f, size_t room);

/* Of f->gather. */
void fetch_on_gathered(struct ev_loop *loop, ev_timer *w, int revents);

#endif
