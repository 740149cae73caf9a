/*
 * held - the line by which a worker says which jobs it has: HELD {"jids":["…"]}
 *
 * A protocol specification: docs/protocol.md, "held".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_HELD_H
#define PROTOCOL_HELD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* Most of one line: what runs at most, and outcomes not confirmed, twice. */
enum { HELD_JIDS_MAX = 20000 };

/* The jids of a line, where they lie. Borrowed from the text that was read. */
struct held {
	struct json_walk at;
};

/*
 * Reads the verb's argument: an object whose `jids` is an array of at most
 * HELD_JIDS_MAX strings, none above JOB_JID_MAX bytes; other members are passed
 * over. Returns 0; or -EINVAL with *e set, for the client.
 */
int held_read(const char *text, size_t len, struct held *h, struct err *e);

/* The next jid, into JOB_JID_MAX bytes; its length, or -1 after the last. */
ssize_t held_next(struct held *h, char *jid);

/*
 * Append a whole line, piece by piece: the beginning, each jid, the end with
 * its line's end. Return as buf_append().
 */
int held_put_begin(struct buf *out);
int held_put_jid(struct buf *out, const char *jid, size_t len);
int held_put_end(struct buf *out);

#endif
