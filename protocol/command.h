/*
 * command - one command line: cut off a stream, or put on one.
 *
 * VERB, optionally one space and an argument that reaches to the end of the
 * line, spaces included; ended by LF, one CR before it not counting. What the
 * argument means is for the verb.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_COMMAND_H
#define PROTOCOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum command_status {
	COMMAND_OK,       /* *out is filled */
	COMMAND_MORE,     /* no line end yet */
	COMMAND_TOO_LONG, /* more than max bytes without a line end */
};

struct command_line {
	const char *verb; /* borrowed, as arg, from the bytes */
	size_t verb_len;
	const char *arg; /* after the first space; NULL without a space */
	size_t arg_len;
	size_t size; /* bytes to drop, line end included */
};

/*
 * Looks for one line at the front of bytes. *scanned is the caller's memory
 * of how far there is no LF: 0 for fresh bytes, kept between calls while the
 * answer is COMMAND_MORE, so that a long line costs one pass. It is set back
 * to 0 with COMMAND_OK.
 */
enum command_status command_decode(const char *bytes, size_t len, size_t max,
    size_t *scanned, struct command_line *out);

bool command_is(const struct command_line *line, const char *verb);

/*
 * Appends VERB, a space and the argument (none when arg is NULL) and CRLF.
 * Returns as buf_append(); -EINVAL for an argument with CR or LF in it. out
 * is unchanged on failure.
 */
int command_put(struct buf *out, const char *verb, const char *arg, size_t len);

#endif
