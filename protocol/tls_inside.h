/*
 * tls_inside - what tls, stream and tls_why share; OpenSSL's types stay here.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_TLS_INSIDE_H
#define PROTOCOL_TLS_INSIDE_H

#include <openssl/ssl.h>

#include "protocol/tls.h"

struct tls {
	unsigned holders;
	bool server;
	SSL_CTX *ctx;
	BIO_METHOD *wire; /* the stream's; made with its first conversation */
	char *name;       /* as in struct tls_plan */
};

/* What is thought of the other end's certificate; an SSL's app data. */
struct tls_judgement {
	const char *whose;  /* "server" or "client" */
	const char *wanted; /* a name that it must have; NULL: none */
	struct err why;     /* it is not believed; code 0: it is */
};

/* For SSL_CTX_set_verify(3): notes why. */
int tls_judge(int good, X509_STORE_CTX *store);

/*
 * Why a conversation cannot go on, from what OpenSSL has noted, in one line
 * of plain words. Returns -e->code: EPERM for a certificate that is not
 * believed, else EPROTO.
 */
int tls_why(const struct tls_judgement *j, struct err *e);

#endif
