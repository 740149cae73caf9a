/*
 * tls - what one end of the wire brings to a TLS conversation: its
 * certificate and whom it believes.
 *
 * Made from files once and used by any number of streams, which go on with
 * what they began with when newer files have been read. TLS 1.2 at least,
 * no renegotiation, no compression, no session kept.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_TLS_H
#define PROTOCOL_TLS_H

#include <stdbool.h>

#include "base/err.h"

/* Names of PEM files; borrowed during the call. */
struct tls_plan {
	/* Who may sign the other end's certificate. NULL: a client believes
	 * those whom this system believes, a server asks for no certificate. */
	const char *ca;
	const char *cert; /* ours and those that signed it; NULL: none */
	const char *key;  /* of cert; without a passphrase */
	/* A client: whose certificate it must be, a host name or an address.
	 * NULL: that of the host it dials. */
	const char *name;
	bool anyone; /* a client: whoever answers is believed */
};

/* Which of the files a message is about. */
enum tls_file { TLS_FILE_NONE, TLS_FILE_CA, TLS_FILE_CERT, TLS_FILE_KEY };

struct tls;

/*
 * Held once: tls_drop(). A server needs cert and key. Returns NULL with *e
 * set, naming the file, and *at_fault (may be NULL) saying which it is.
 */
struct tls *
tls_client(const struct tls_plan *plan, enum tls_file *at_fault, struct err *e);
struct tls *
tls_server(const struct tls_plan *plan, enum tls_file *at_fault, struct err *e);

/* Returns t. Accepts NULL. Not for use from two threads at once. */
struct tls *tls_hold(struct tls *t);

/* The last holder frees it. Accepts NULL. */
void tls_drop(struct tls *t);

#endif
