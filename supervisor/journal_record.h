/*
 * journal_record - one entry of the outcome journal, as bytes and back.
 *
 *   length u32 | crc32 of what follows u32 | kind u8 | id u64 | ...
 *   1 ADD   ... expires i64 | server u16+bytes | wid u16+bytes |
 *               jid u16+bytes | line u32+bytes
 *   2 DONE  ...
 *   3 ADD   as 1, and enqueued_at u16+bytes, of which there are some
 *
 * Little-endian. A file is JOURNAL_MAGIC and then records; the first one that
 * is cut off or does not fit its checksum ends it, as a power cut leaves it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOURNAL_RECORD_H
#define SUPERVISOR_JOURNAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define JOURNAL_MAGIC "FKTOUT1\n"
enum {
	JOURNAL_MAGIC_LEN = 8,
	JOURNAL_RECORD_MAX = 4 * 1024 * 1024 + 4096,
};

enum journal_kind { JOURNAL_ADD = 1, JOURNAL_DONE = 2 };

/* Any bytes, not NUL-terminated. */
struct journal_text {
	const char *bytes;
	size_t len;
};

struct journal_record {
	enum journal_kind kind;
	uint64_t id;
	int64_t expires; /* clock_wall(): when the reservation ends */
	struct journal_text server;
	struct journal_text wid;
	struct journal_text jid;
	struct journal_text line; /* the whole command */
	struct journal_text
	    enqueued_at; /* as its server wrote it; empty: unknown */
};

/* Returns as buf_append(); -EMSGSIZE when a text is too long. */
int journal_record_put(struct buf *out, const struct journal_record *r);

/*
 * Reads one record; its texts point into bytes. Returns how many bytes it
 * takes; 0 when there is no whole and sound record here.
 */
size_t
journal_record_read(const char *bytes, size_t len, struct journal_record *r);

#endif
