/*
 * generation - the settings of one reading of the configuration.
 *
 * A reload makes a new generation. Jobs hold on to the one that they were
 * taken up under until they have ended, so each is run, timed and judged by
 * the same settings from its beginning to its end.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_GENERATION_H
#define SUPERVISOR_GENERATION_H

#include <stddef.h>

#include "base/err.h"
#include "config/settings.h"
#include "supervisor/environment.h"

struct generation {
	size_t holders;
	struct settings *settings; /* owned, as the next */
	struct environment base;   /* of every program */
};

/*
 * Takes settings, even on failure. Held once: generation_drop(). lookup is
 * getenv(3) or a test's. Returns NULL with *e set.
 */
struct generation *generation_new(struct settings *settings,
    const char *(*lookup)(const char *name), struct err *e);

/* Returns g. */
struct generation *generation_hold(struct generation *g);

/* The last holder frees it. Accepts NULL. */
void generation_drop(struct generation *g);

#endif
