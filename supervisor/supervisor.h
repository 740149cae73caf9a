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
#include "config/settings.h"
#include "protocol/url.h"

struct supervisor;

/*
 * All borrowed; password NULL: the URL's. Returns NULL with *e set. SIGPIPE
 * must be ignored already, descriptors 0 to 2 open.
 */
struct supervisor *supervisor_new(const struct settings *settings,
    const struct url *server, const char *password, struct err *e);

/* Accepts NULL. */
void supervisor_free(struct supervisor *s);

/* Works until a signal or the server ends it, in order. */
void supervisor_run(struct supervisor *s);

#endif
