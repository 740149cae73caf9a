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
#include "config/sources.h"
#include "protocol/tls.h"
#include "supervisor/environment.h"

struct generation {
	size_t holders;
	struct settings *settings; /* owned, as the next */
	struct environment base;   /* of every program */
	struct tls *tls;           /* held; NULL: generation_secure() */
	struct sources sources;    /* what it was read from, if kept */
};

/*
 * Takes settings, even on failure. Held once: generation_drop(). lookup is
 * getenv(3) or a test's. Returns NULL with *e set.
 */
struct generation *generation_new(struct settings *settings,
    const char *(*lookup)(const char *name), struct err *e);

/* Keeps the texts, for generation_save(). Takes what *s has. */
void generation_keep(struct generation *g, struct sources *s);

/*
 * For a successor. Reading may fail although it succeeded here, when a program
 * or directory has gone since: then NULL, with *e set, and r goes on.
 */
void generation_save(const struct generation *g, struct state_writer *w);
struct generation *generation_load(struct state_reader *r,
    const char *(*lookup)(const char *name), struct err *e);

/*
 * Reads the certificates that the settings name, for servers that want TLS.
 * Returns 0, or a negative errno with *e set, its place included.
 */
int generation_secure(struct generation *g, struct err *e);

/* Returns g. */
struct generation *generation_hold(struct generation *g);

/* The last holder frees it. Accepts NULL. */
void generation_drop(struct generation *g);

#endif
