/*
 * verdict - what the end of a program means for its job.
 *
 * A pure function from facts to an outcome. The order of decision is in
 * docs/handlers.md, "Outcome": what we did to it first, then whether it
 * started at all, then signals, then the exit status.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_VERDICT_H
#define HANDLERS_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "handlers/message.h"
#include "handlers/run.h"
#include "handlers/trace.h"

enum verdict_kind {
	VERDICT_DONE,    /* success */
	VERDICT_RETRY,   /* failed; the server decides when to try again */
	VERDICT_LATER,   /* "temporary": as RETRY on a stock server */
	VERDICT_DEAD,    /* never again; kept among the dead */
	VERDICT_DISCARD, /* never again; forgotten */
};

/* What an exit status means; the operator says so. */
struct verdict_exit {
	enum verdict_kind kind;
	int64_t retry_in; /* ns, with VERDICT_LATER */
};

enum { VERDICT_LINES_MAX = 50, VERDICT_ERRTYPE_MAX = 128 };

struct verdict {
	enum verdict_kind kind;
	int64_t retry_in;                  /* ns, with VERDICT_LATER; else 0 */
	char errtype[VERDICT_ERRTYPE_MAX]; /* "" when done; as message */
	char message[1024]; /* "" when done; valid UTF-8, one line */
	char *backtrace[VERDICT_LINES_MAX]; /* owned: verdict_clear() */
	size_t nlines;
};

/*
 * Fills *v. program is the path, for the message about a program that could
 * not be started; meaning is that of the exit status, and counts only when
 * the program ended by itself and not by a signal. Never fails: when memory
 * is short the backtrace is shorter.
 */
void verdict_reach(struct verdict *v, const struct run_facts *facts,
    const char *program, struct verdict_exit meaning);
void verdict_clear(struct verdict *v);

/*
 * Puts the program's own name and words for its error in the place of ours,
 * and its trace in the place of the backtrace. Only a failing exit status is
 * renamed: what we did, or a signal, says more than a trace before it.
 */
void verdict_name(struct verdict *v, const struct trace *t);

/*
 * Puts what a program said of its error (a MESSAGE_ERROR) in the place of
 * ours: the members that it gave, and none that is empty. `retry` can make
 * the verdict dead or discard, and retry_in turns a retry into a later;
 * otherwise the kind stays. Only for a failing exit status.
 */
void verdict_refine(struct verdict *v, const struct message *m);

/* "done", "retry", "later", "dead", "discard". */
const char *verdict_kind_name(enum verdict_kind kind);

#endif
