/*
 * certificate - what libmicrohttpd needs to speak TLS: PEM text of the files
 * that the settings name for all clients.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_WEB_CERTIFICATE_H
#define SERVER_WEB_CERTIFICATE_H

#include "base/err.h"
#include "config/tls_settings.h"

struct certificate {
	char *cert, *key; /* owned, NUL-terminated */
};

/*
 * Reads cert and key of t, which must name both. 0; or, with *e set and
 * nothing to clear, what the system said.
 */
int certificate_read(
    struct certificate *c, const struct tls_settings *t, struct err *e);

/* The key is overwritten first. */
void certificate_clear(struct certificate *c);

#endif
