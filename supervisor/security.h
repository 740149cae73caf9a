/*
 * security - the settings' certificates, read for use.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_SECURITY_H
#define SUPERVISOR_SECURITY_H

#include "base/err.h"
#include "config/settings.h"
#include "protocol/tls.h"

/*
 * Held once: tls_drop(). Returns NULL with *e set: "file:line:column: ", and
 * which certificate or key cannot be used.
 */
struct tls *security_make(const struct settings *s, struct err *e);

/* Says so in the log when anybody is believed to be the server. */
void security_warn(const struct settings *s);

#endif
