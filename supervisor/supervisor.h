/*
 * supervisor - owns the parts that turn fetched jobs into reported outcomes.
 *
 * Wiring only: which part is told what, and in which order they begin and
 * end. One loop, in the thread that calls supervisor_run().
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "base/err.h"
#include "base/state.h"
#include "protocol/url.h"
#include "supervisor/generation.h"

struct supervisor;

/* Borrowed while the supervisor lives. */
struct supervisor_parts {
	const struct url *servers; /* in the order in which they are tried */
	size_t nservers;
	/*
	 * Reads the configuration again. Returns a generation, held once, or
	 * NULL after saying why not.
	 */
	struct generation *(*reload)(void *ctx);
	char *const *argv; /* to start a newer program with */
	/* What the caller's successor needs; read before supervisor_new(). */
	void (*save)(void *ctx, struct state_writer *w);
	/* What our predecessor in this process saved; NULL: none. */
	struct state_reader *handover;
	const char *(*lookup)(const char *name); /* getenv(3) */
	void *ctx;
};

/*
 * Takes first, even on failure. Returns NULL with *e set. SIGPIPE must be
 * ignored already, descriptors 0 to 2 open.
 */
struct supervisor *supervisor_new(const struct supervisor_parts *parts,
    struct generation *first, struct err *e);

/* Accepts NULL. */
void supervisor_free(struct supervisor *s);

/* Works until a signal or the server ends it, in order. */
void supervisor_run(struct supervisor *s);

#endif
