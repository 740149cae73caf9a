/*
 * health - what the supervisor says of itself over HTTP.
 *
 *   /healthz   200 as long as the loop turns
 *   /readyz    200 while jobs are asked for; else 503 and why not
 *   /metrics   supervisor/metrics
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HEALTH_H
#define SUPERVISOR_HEALTH_H

#include "base/err.h"

struct supervisor;

/* While it is quiet, or drains: who asked for that; else NULL. Static. */
const char *health_quiet(const struct supervisor *s);

/* NULL when the supervisor is ready, else why not. Static. */
const char *health_unready(const struct supervisor *s);

/*
 * Answers at http.listen from now on, if there is one; s->http. Returns 0 or
 * negative with *e set. After an upgrade an address that is not to be had is
 * only logged: jobs are at work.
 */
int health_open(struct supervisor *s, struct err *e);

#endif
