/*
 * tap - the lines of one program as they come, for those who listen.
 *
 * The last of them are kept, so that who comes late hears how it came to
 * this. Memory follows what was printed, up to TAP_KEEP.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_TAP_H
#define SUPERVISOR_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/log.h"
#include "handlers/run.h"

enum { TAP_KEEP = 16 * 1024 }; /* bytes, with a few for each line */

/* As the program wrote it, without a prefix "<N>". Not escaped. */
struct tap_line {
	enum run_stream stream;
	enum log_level level;
	bool more; /* the line goes on in the next */
	const char *bytes;
	size_t len;
};

/* Filled by the listener; the link is the tap's. */
struct tap_ear {
	LIST_ENTRY(tap_ear) link;
	/*
	 * Borrowed during the call; NULL: the program has ended, and nobody
	 * listens any more. May leave with this ear, but do nothing else to
	 * the tap. What it cannot pass on at once it has to bound or drop.
	 */
	void (*hear)(void *ctx, const struct tap_line *line);
	void *ctx;
};

/* Zeroed: nothing was printed. */
struct tap {
	struct buf *kept; /* owned */
	LIST_HEAD(tap_ears, tap_ear) ears;
};

/* Never fails: without memory a line is not kept, but heard. */
void tap_add(struct tap *t, const struct tap_line *line);

/* What is kept is heard at once, the rest as it comes. ear is borrowed. */
void tap_listen(struct tap *t, struct tap_ear *ear);

/* Nothing is heard any more. Only for an ear that has not heard the end. */
void tap_leave(struct tap_ear *ear);

/* Every ear hears the end; t is empty afterwards. */
void tap_end(struct tap *t);

#endif
