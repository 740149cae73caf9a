/*
 * trace - finds an error's own name and words in the trace that an
 * interpreter leaves on stderr.
 *
 * A pure function over the end of a stream: the last trace in it counts, since
 * that is the one the program died of. What it finds are stretches of the
 * given bytes; nothing is copied and nothing is promised about what is in
 * them. The shapes are those of CPython, the JVM, MRI Ruby, Go's runtime,
 * Node.js (V8) and PHP's command line.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_TRACE_H
#define HANDLERS_TRACE_H

#include <stdbool.h>
#include <stddef.h>

enum trace_kind {
	TRACE_PYTHON,
	TRACE_JAVA,
	TRACE_RUBY,
	TRACE_GO,
	TRACE_NODE,
	TRACE_PHP,
};

struct trace_span {
	const char *bytes;
	size_t len;
};

/* All borrowed from the text. */
struct trace {
	struct trace_span type;    /* "ValueError"; never empty */
	struct trace_span message; /* one line; may be empty */
	struct trace_span lines;   /* the whole trace, whole lines */
};

/* False: there is no such trace; *out is untouched then. */
bool trace_find(
    enum trace_kind kind, const char *text, size_t len, struct trace *out);

#endif
