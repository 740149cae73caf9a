/*
 * resp - replies of the Faktory protocol, cut off a stream and put on one.
 *
 * Framing only: what a reply means is for its reader. The subset of RESP2
 * that Faktory speaks: simple strings, errors, integers, bulk strings, null.
 * A protocol specification: docs/protocol.md, "Replies".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_RESP_H
#define PROTOCOL_RESP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum resp_kind {
	RESP_SIMPLE, /* +text */
	RESP_ERROR,  /* -text, the code word included */
	RESP_INT,    /* :number */
	RESP_BULK,   /* $len and bytes */
	RESP_NULL,   /* $-1 */
};

enum resp_status {
	RESP_OK,   /* *out is filled */
	RESP_MORE, /* not all there yet */
	RESP_BAD,  /* this is not a reply; the connection is of no more use */
	RESP_HUGE, /* a bulk above the ceiling, or a line above RESP_LINE_MAX */
};

/* Longest first line of a reply, CRLF included. */
enum { RESP_LINE_MAX = 64 * 1024 };

struct resp {
	enum resp_kind kind;
	const char *text; /* borrowed from the bytes; NULL for RESP_NULL */
	size_t len;
	int64_t number; /* RESP_INT */
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
 * Put one reply on out; each returns as buf_append() and leaves out unchanged
 * on failure. CR and LF in the text of simple strings and errors become
 * spaces: a peer's words can never forge a reply. Such a line is cut to
 * RESP_LINE_MAX, so that a reader like ours takes it.
 */
int resp_put_simple(struct buf *out, const char *text);
int resp_put_error(struct buf *out, const char *code, const char *text);
int resp_put_bulk(struct buf *out, const char *bytes, size_t len);
int resp_put_null(struct buf *out);

#endif
