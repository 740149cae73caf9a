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
#include "protocol/url.h"
#include "supervisor/generation.h"

struct supervisor;

/* Borrowed while the supervisor lives. */
struct supervisor_parts {
	const struct url *server;
	const char *password; /* NULL: the URL's */
	/*
	 * Reads the configuration again. Returns a generation, held once, or
	 * NULL after saying why not.
	 */
	struct generation *(*reload)(void *ctx);
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
