/*
 * handshake - what we say to HI, and what the answer to HELLO means.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HANDSHAKE_H
#define SUPERVISOR_HANDSHAKE_H

#include "base/buf.h"
#include "base/err.h"
#include "protocol/resp.h"
#include "supervisor/identity.h"

/*
 * Appends the HELLO that answers a greeting; *extensions is what it offers
 * (enum extension). Returns 0; a negative errno with
 * *e set: -EACCES when a password is asked for and we have none.
 */
int handshake_answer(struct buf *out, const struct resp *hi,
    const struct identity *who, unsigned *extensions, struct err *e);

/*
 * Whether the server has accepted our HELLO. Returns 0; a negative errno with
 * *e set: -EACCES when it does not accept the password.
 */
int handshake_end(const struct resp *reply, struct err *e);

#endif
