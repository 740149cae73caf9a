/*
 * report_inside - what report is made of.
 *
 * For supervisor/report.c, report_known.c, report_reply.c and report_state.c
 * alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_REPORT_INSIDE_H
#define SUPERVISOR_REPORT_INSIDE_H

#include <sys/queue.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "supervisor/holdoff.h"
#include "supervisor/journal.h"
#include "supervisor/notice.h"
#include "supervisor/report.h"

struct outcome {
	TAILQ_ENTRY(outcome) link;
	struct report *report;
	bool sent;  /* its first command: in this conversation, not answered */
	bool again; /* and the answer may be about an earlier reservation */
	bool told;  /* it was confirmed, and counted, for an earlier one */
	bool ended; /* and that has ended the last one that there can be */
	int64_t told_at;  /* of one that is confirmed: when; clock_mono() */
	int64_t asked_at; /* clock_mono() when its job was asked for; 0: before
	                     this process was here */
	int64_t expires;
	uint64_t kept; /* in the journal; 0: not there */
	char *jid; /* ends with a NUL, and may have others; owned, as lines */
	size_t jid_len;
	char enqueued_at[TIMESTAMP_MAX]; /* "": unknown */
	char *lines; /* the commands that are not confirmed yet */
	size_t len;
};

TAILQ_HEAD(outcomes, outcome);

struct report {
	struct outcomes confirmed; /* whose jobs may come again all the same */
	size_t nconfirmed;
	size_t confirmed_bytes;
	int64_t up_at; /* clock_mono() when this conversation began: the server
	                  may have given away what we had before */
	struct outcomes outcomes;
	size_t count;
	size_t unsent; /* of count */
	size_t bytes;
	struct report_counts counts;
	struct buf *line;
	ev_timer pause; /* active after an error: nothing is sent */
	struct holdoff holdoff;
	bool burying;    /* a burial is on its way */
	ev_timer gap;    /* active after one: the next has to wait */
	int64_t sent_at; /* clock_mono() when something was sent; 0: not yet */
	ev_timer gather; /* active while outcomes wait for company */

	struct ev_loop *loop;
	const char *server; /* borrowed, as client and journal */
	struct client *client;
	struct journal *journal; /* NULL: none */
	void (*settled)(void *ctx);
	void *ctx;
};

/* Takes up an outcome. Returns NULL when memory is short, which is told. */
struct outcome *
report_take_up(struct report *r, const struct journal_outcome *from);

/* Writes it into the journal, if there is one. */
void report_keep(struct outcome *o);

/* Among those that are told, at their end. */
void report_insert(struct outcome *o);

/* Nobody waits for it any more: out of them, and out of the journal. */
void report_remove(struct outcome *o);

void report_free_outcome(struct outcome *o);

/* report_remove(), and it is freed. */
void report_drop(struct outcome *o);

/* Its server has confirmed the last of it; it is not the caller's any more. */
void report_confirmed(struct outcome *o);

/*
 * Other commands take the place of those it has; they are kept in the journal
 * instead. False without memory: it is as it was.
 */
bool report_replace(struct outcome *o, const char *lines, size_t len);

/* A line of the log about the command that it begins with. */
void report_say(enum log_level level, const struct outcome *o, const char *what,
    const struct resp *reply);

/*
 * The reply to its first command. It moves on to the next one, is to be sent
 * again after a pause, or is gone.
 */
void report_answered(struct outcome *o, const struct resp *reply);

#endif
