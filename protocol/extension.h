/*
 * extension - what a server offers beyond a stock one, by the names in its HI.
 *
 * HI {"v":2,"x":["release","cancel"]}. Nothing here is used with a server
 * that did not name it; names that we do not know are passed over.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_EXTENSION_H
#define PROTOCOL_EXTENSION_H

#include "base/buf.h"
#include "base/json.h"

enum extension {
	EXTENSION_RELEASE = 1 << 0,    /* RELEASE {"jid"} */
	EXTENSION_CANCEL = 1 << 1,     /* "cancel", "lost" in BEAT's reply */
	EXTENSION_FAIL_RETRY = 1 << 2, /* "retry", "retry_in" in FAIL */
	EXTENSION_RESULT = 1 << 3,     /* "result" in ACK and FAIL */
	EXTENSION_FETCHB = 1 << 4,     /* FETCHB: several jobs at once */
	EXTENSION_HELD = 1 << 5,       /* HELD: what a worker has */
};

/* The flags for the names in an array; 0 for any other value. */
unsigned extension_read(const struct json *names);

/* Appends ["name",...] of the flags. Returns as buf_append(). */
int extension_put(struct buf *out, unsigned flags);

#endif
