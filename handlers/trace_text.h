/*
 * trace_text - a text cut into lines, and small questions about a line.
 *
 * For handlers/trace.c. Nothing is copied: a span is a stretch of the text.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_TRACE_TEXT_H
#define HANDLERS_TRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handlers/trace.h"

enum { TRACE_TEXT_LINES = 2048 }; /* the last ones; others are not seen */

struct trace_text {
	struct trace_span lines[TRACE_TEXT_LINES]; /* without their ends */
	size_t count;
};

/* The last lines of the text; empty ones at its end do not count. */
void trace_text_cut(struct trace_text *t, const char *text, size_t len);

bool span_starts(struct trace_span s, const char *with);
bool span_ends(struct trace_span s, const char *with);

/* Without the first n bytes; n is at most s.len. */
struct trace_span span_skip(struct trace_span s, size_t n);

/* Without a prefix that is there or not. */
struct trace_span span_without(struct trace_span s, const char *prefix);

/* Where `what` stands first, or last; SIZE_MAX: nowhere. */
size_t span_find(struct trace_span s, const char *what);
size_t span_find_last(struct trace_span s, const char *what);

/* How many bytes from the front are letters, digits, '_' or one of `more`. */
size_t span_word(struct trace_span s, const char *more);

#endif
