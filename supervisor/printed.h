/*
 * printed - what a program writes to standard output, when that is its result.
 *
 * A result is never cut: above the limit there is none.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_PRINTED_H
#define SUPERVISOR_PRINTED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/state.h"

/* Zeroed at first. */
struct printed {
	struct buf *text; /* lines, LF between them; NULL: none yet */
	bool within;      /* the last line goes on */
	bool over;        /* there was more than the limit, or no memory */
};

/* As run_hooks.line. limit: bytes of the text. */
void printed_line(
    struct printed *p, size_t limit, const char *bytes, size_t len, bool more);

/*
 * The text as compact JSON: its value when it is JSON, else a string, in
 * which bytes that are not UTF-8 stand as \xNN. Owned: free(). NULL when
 * nothing was printed, or p->over, which is also set when this is longer than
 * limit.
 */
char *printed_value(struct printed *p, size_t limit);

/* For a successor; loads into a zeroed one. */
void printed_save(const struct printed *p, struct state_writer *w);
void printed_load(struct printed *p, struct state_reader *r);

void printed_clear(struct printed *p);

#endif
