/*
 * notice - the commands by which the server hears of one job's end.
 *
 * One or more whole lines; each is sent when the one before it is confirmed:
 *
 *   RELEASE {...}  gives the job back; where the server can do that, it is all
 *                  that is sent
 *   PUSH {...}     a copy of the job, to be run in its place
 *   PUSHB [...]    follow-up jobs of one that succeeded
 *   ACK or FAIL    the outcome
 *   MUTATE ...     moves a job that must not run again to the dead; only for
 *                  a server without a word for that in FAIL
 *
 * ACK and FAIL carry the result of the program as their last member, "result",
 * which is for a server that announced the extension of that name alone.
 *
 * Text on purpose: it is kept like this in the outcome journal and carried
 * like this to a successor.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_NOTICE_H
#define SUPERVISOR_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "protocol/outcome.h"

/* All borrowed. */
struct notice {
	const char *jid;
	size_t jid_len;
	/* When its server put it into its queue; it is not sent. NULL: unknown. */
	const char *enqueued_at;
	size_t enqueued_at_len;
	int64_t
	    asked_at; /* clock_mono() when we asked for it; it is not sent */
	const struct failure *failure; /* NULL: it succeeded */
	bool bury;                     /* failure->dead holds on every server */
	const char
	    *pushes;       /* jobs of one that succeeded, with commas between */
	size_t pushes_len; /* 0: none */
	const char *result; /* of its program, compact JSON; NULL: none */
	bool release;       /* not an end: it is given back, where that goes */
	/*
	 * A job that is to be run instead, pushed before an ACK; with a failure
	 * only where the server does not know its retry_in.
	 */
	const char *copy;
	size_t copy_len; /* at most NOTICE_COPY_MAX; 0: none */
};

enum { NOTICE_COPY_MAX = 16 * 1024 * 1024 };

enum notice_verb {
	NOTICE_RELEASE,
	NOTICE_PUSH,
	NOTICE_ACK,
	NOTICE_FAIL,
	NOTICE_PUSHB,
	NOTICE_BURIAL,
	NOTICE_UNKNOWN, /* of a journal that another version wrote */
};

/* Appends the commands. Returns as buf_append(); out is unchanged then. */
int notice_put(struct buf *out, const struct notice *n);

/* What a notice begins with. */
enum notice_verb notice_verb(const char *lines, size_t len);

/* The bytes of its first command, line end included; len when there is none. */
size_t notice_first(const char *lines, size_t len);

/*
 * How many bytes a server with these extensions (enum extension) is not sent:
 * a first command that it does not know and whose place others take.
 */
size_t notice_skip(const char *lines, size_t len, unsigned extensions);

/* How many are over with when its first command is confirmed. */
size_t notice_over(const char *lines, size_t len, unsigned extensions);

/*
 * Appends the first command of a notice for a server that does not take
 * results. Returns as buf_append().
 */
int notice_put_plain(struct buf *out, const char *lines, size_t len);

/* "ACK", "FAIL", ...; for messages. */
const char *notice_verb_name(enum notice_verb verb);

#endif
