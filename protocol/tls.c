/*
 * tls - files to an SSL_CTX.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "protocol/tls_inside.h"

/* A passphrase would have to be typed; ctx learns that one is wanted. */
static int
no_passphrase(char *out, int size, int writing, void *ctx)
{
	bool *asked = ctx;

	(void)writing;
	if (size > 0)
		*out = '\0';
	*asked = true;
	return -1;
}

/* The file can be opened, or *e says why not. */
static int
check_readable(const char *file, struct err *e)
{
	FILE *f = fopen(file, "re");

	if (f == NULL)
		return err_set(e, errno, "%s: %s", file, strerror(errno));
	fclose(f);
	return 0;
}

static int
use_certificate(SSL_CTX *ctx, const char *file, struct err *e)
{
	if (check_readable(file, e) < 0)
		return -e->code;
	if (SSL_CTX_use_certificate_chain_file(ctx, file) == 1)
		return 0;
	return err_set(e, EINVAL,
	    "%s has no certificate that can be used, expected a PEM file",
	    file);
}

/* Only its owner, and a group that reads, may do anything with a key. */
static FILE *
open_key(const char *file, struct err *e)
{
	FILE *f = fopen(file, "re");
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) < 0) {
		err_set(e, errno, "%s: %s", file, strerror(errno));
	} else if ((st.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP)) != 0) {
		err_set(e, EPERM,
		    "%s is open to others (mode %04o), expected chmod 0600, "
		    "or 0640 for a group",
		    file, (unsigned)st.st_mode & 07777);
	} else {
		return f;
	}
	if (f != NULL)
		fclose(f);
	return NULL;
}

static int
use_key(SSL_CTX *ctx, const char *file, struct err *e)
{
	bool asked = false;
	FILE *f = open_key(file, e);

	if (f == NULL)
		return -e->code;
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, no_passphrase, &asked);
	fclose(f);
	if (key == NULL && asked)
		return err_set(e, EINVAL,
		    "%s is locked by a passphrase, expected a key without one",
		    file);
	if (key == NULL)
		return err_set(e, EINVAL,
		    "%s has no key that can be used, expected a PEM file",
		    file);
	int good = SSL_CTX_use_PrivateKey(ctx, key);
	EVP_PKEY_free(key);
	if (good == 1 && SSL_CTX_check_private_key(ctx) == 1)
		return 0;
	return err_set(e, EINVAL, "%s is not the key of the certificate", file);
}

static int
use_ca(struct tls *t, const char *file, struct err *e)
{
	if (check_readable(file, e) < 0)
		return -e->code;
	if (SSL_CTX_load_verify_file(t->ctx, file) != 1)
		return err_set(e, EINVAL,
		    "%s has no certificates that can be used, expected a PEM "
		    "file",
		    file);
	if (!t->server)
		return 0;
	/* So that a client with several certificates can choose. */
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
	if (names == NULL)
		return err_set(e, ENOMEM, "%s: out of memory", file);
	SSL_CTX_set_client_CA_list(t->ctx, names);
	return 0;
}

/* Whom we believe. */
static int
set_trust(struct tls *t, const struct tls_plan *plan, struct err *e)
{
	if (plan->ca != NULL && use_ca(t, plan->ca, e) < 0)
		return -e->code;
	if (t->server) {
		if (plan->ca != NULL)
			SSL_CTX_set_verify(t->ctx,
			    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			    tls_judge);
		return 0;
	}
	if (plan->ca == NULL && !plan->anyone &&
	    SSL_CTX_set_default_verify_paths(t->ctx) != 1)
		return err_set(e, ENOENT,
		    "the certificates that this system believes cannot be "
		    "read");
	SSL_CTX_set_verify(t->ctx,
	    plan->anyone ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
	    plan->anyone ? NULL : tls_judge);
	return 0;
}

static int
set_manners(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	/* One recv(2) for a record instead of two. */
	SSL_CTX_set_read_ahead(ctx, 1);
	return (int)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}

static struct tls *
make(bool server, const struct tls_plan *plan, enum tls_file *at_fault,
    struct err *e)
{
	struct tls *t = calloc(1, sizeof *t);
	enum tls_file file = TLS_FILE_NONE;
	struct err why = { .code = ENOMEM, .text = "out of memory" };

	ERR_clear_error();
	if (t == NULL)
		goto fail;
	t->holders = 1;
	t->server = server;
	t->ctx =
	    SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (t->ctx == NULL || set_manners(t->ctx) != 1)
		goto fail;
	if (plan->name != NULL && (t->name = strdup(plan->name)) == NULL)
		goto fail;
	file = TLS_FILE_CERT;
	if (plan->cert != NULL && use_certificate(t->ctx, plan->cert, &why) < 0)
		goto fail;
	file = TLS_FILE_KEY;
	if (plan->cert != NULL && use_key(t->ctx, plan->key, &why) < 0)
		goto fail;
	file = plan->ca != NULL ? TLS_FILE_CA : TLS_FILE_NONE;
	if (set_trust(t, plan, &why) < 0)
		goto fail;
	return t;

fail:
	ERR_clear_error();
	if (at_fault != NULL)
		*at_fault = file;
	*e = why;
	tls_drop(t);
	return NULL;
}

struct tls *
tls_client(const struct tls_plan *plan, enum tls_file *at_fault, struct err *e)
{
	return make(false, plan, at_fault, e);
}

struct tls *
tls_server(const struct tls_plan *plan, enum tls_file *at_fault, struct err *e)
{
	return make(true, plan, at_fault, e);
}

struct tls *
tls_hold(struct tls *t)
{
	if (t != NULL)
		t->holders++;
	return t;
}

void
tls_drop(struct tls *t)
{
	if (t == NULL || --t->holders > 0)
		return;
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->wire);
	free(t->name);
	free(t);
}
