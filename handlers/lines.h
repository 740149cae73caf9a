/*
 * lines - cuts a stream into lines, and long lines into pieces.
 *
 * A line ends with LF or CRLF. What is longer than the ceiling is handed on in
 * pieces that do not end within a UTF-8 character, so that no program can make
 * us wait for, or remember, a line without end.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_LINES_H
#define HANDLERS_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/state.h"

struct lines;

/*
 * A line without its end, or a piece of one; `more`: the line goes on in the
 * next call. bytes is borrowed during the call.
 */
typedef void lines_emit(void *ctx, const char *bytes, size_t len, bool more);

/* max: the longest piece, at least 4. NULL when memory is short. */
struct lines *lines_new(size_t max, lines_emit *emit, void *ctx);

/* Accepts NULL. What was not ended is forgotten. */
void lines_free(struct lines *l);

/* Emits every line and full piece that is complete with these bytes. */
void lines_add(struct lines *l, const char *bytes, size_t len);

/* The stream ends here: emits what came after the last line end, if any. */
void lines_end(struct lines *l);

/* The unfinished line, for a successor; load into a new one. */
void lines_save(const struct lines *l, struct state_writer *w);
void lines_load(struct lines *l, struct state_reader *r);

#endif
