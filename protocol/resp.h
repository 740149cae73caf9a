/*
 * resp - replies of the Faktory protocol, cut off a stream and put on one.
 *
 * Framing only: what a reply means is for its reader. The subset of RESP2
 * that Faktory speaks: simple strings, errors, integers, bulk strings, null;
 * and arrays of bulk strings, with which FETCHB is answered.
 * A protocol specification: docs/protocol.md, "Replies".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_RESP_H
#define PROTOCOL_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum resp_kind {
	RESP_SIMPLE, /* +text */
	RESP_ERROR,  /* -text, the code word included */
	RESP_INT,    /* :number */
	RESP_BULK,   /* $len and bytes */
	RESP_NULL,   /* $-1 */
	RESP_ARRAY,  /* *n and n bulk strings: resp_next() */
};

enum resp_status {
	RESP_OK,   /* *out is filled */
	RESP_MORE, /* not all there yet */
	RESP_BAD,  /* this is not a reply; the connection is of no more use */
	RESP_HUGE, /* a bulk, or those of an array together, above the ceiling;
	              an array above RESP_ARRAY_MAX; a line above
	              RESP_LINE_MAX */
};

/* Longest first line of a reply, CRLF included. */
enum { RESP_LINE_MAX = 64 * 1024 };

/* Most strings of an array: more than any server of ours sends. */
enum { RESP_ARRAY_MAX = 64 };

struct resp {
	enum resp_kind kind;
	const char *text; /* borrowed from the bytes; NULL for RESP_NULL */
	size_t len;
	int64_t number; /* RESP_INT; of RESP_ARRAY its strings, at least 1 */
	size_t size;    /* bytes to drop from the front of the stream */
};

/*
 * Looks for one reply at the front of bytes. A line may end in LF alone.
 * *out is untouched unless RESP_OK is returned. The same stream gives the
 * same replies however it is cut up.
 */
enum resp_status
resp_decode(const char *bytes, size_t len, size_t max_bulk, struct resp *out);

/*
 * Walks an array: begin with *at = 0. False at its end; else text and len of
 * the next string, borrowed as the array is.
 */
bool
resp_next(const struct resp *array, size_t *at, const char **text, size_t *len);

/*
 * Put one reply on out; each returns as buf_append() and leaves out unchanged
 * on failure. CR and LF in the text of simple strings and errors become
 * spaces: a peer's words can never forge a reply. Such a line is cut to
 * RESP_LINE_MAX, so that a reader like ours takes it.
 */
int resp_put_simple(struct buf *out, const char *text);
int resp_put_error(struct buf *out, const char *code, const char *text);
int resp_put_bulk(struct buf *out, const char *bytes, size_t len);
int resp_put_null(struct buf *out);
/* The line in front of n bulk strings; n from 1 to RESP_ARRAY_MAX. */
int resp_put_array(struct buf *out, size_t n);

#endif
