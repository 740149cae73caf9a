/*
 * scopes - the transient unit of one run, as handlers/scope takes it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_SCOPES_H
#define SUPERVISOR_SCOPES_H

#include "config/confinement.h"
#include "handlers/scope.h"

/*
 * For one start. The unit is faktotum-job-JID-ID.scope, with the jid escaped as
 * systemd-escape(1) does it, and cut; the id, which is of this dispatch alone,
 * makes it nobody else's. *out is NULL when c asks for none, else owned:
 * scopes_free(). It refers to c. Returns 0 or -ENOMEM.
 */
int scopes_make(const struct confinement *c, const char *jobtype,
    const char *jid, const char *id, struct scope_request **out);
void scopes_free(struct scope_request *q); /* accepts NULL */

#endif
