/*
 * certificates - for tests that speak TLS: a CA, and what it signs, as PEM
 * files in a scratch directory.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_CERTIFICATES_H
#define TESTS_UNIT_CERTIFICATES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

/* "DIR/NAME.END", in one of a few buffers that take turns. */
static inline const char *
in_dir(const char *dir, const char *name, const char *end)
{
	static char text[8][256];
	static size_t turn;
	char *out = text[turn++ % 8];

	snprintf(out, sizeof text[0], "%s/%s.%s", dir, name, end);
	return out;
}

static inline void
extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(x);
	assert_int_equal(X509_add_ext(cert, x, -1), 1);
	X509_EXTENSION_free(x);
}

/* by NULL: signs itself and may sign others. begin and end: seconds from now. */
static inline X509 *
certificate_make(const char *cn, const char *names, EVP_PKEY *key,
    const struct authority *by, long begin, long end)
{
	static long serial = 1;
	X509 *cert = X509_new();
	X509 *issuer = by != NULL ? by->cert : cert;

	assert_non_null(cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), begin);
	X509_gmtime_adj(X509_getm_notAfter(cert), end);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	extend(cert, issuer, NID_basic_constraints,
	    by == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (names != NULL)
		extend(cert, issuer, NID_subject_alt_name, names);
	assert_true(
	    X509_sign(cert, by != NULL ? by->key : key, EVP_sha256()) > 0);
	return cert;
}

static inline void
write_pem(const char *file, X509 *cert, EVP_PKEY *key, const char *passphrase)
{
	FILE *f = fopen(file, "we");

	assert_non_null(f);
	if (cert != NULL)
		assert_int_equal(PEM_write_X509(f, cert), 1);
	if (key != NULL)
		assert_int_equal(
		    PEM_write_PKCS8PrivateKey(f, key,
			passphrase != NULL ? EVP_aes_128_cbc() : NULL,
			passphrase,
			passphrase != NULL ? (int)strlen(passphrase) : 0, NULL,
			NULL),
		    1);
	fclose(f);
	chmod(file, key != NULL ? 0600 : 0644);
}

/* NAME.pem. */
static inline struct authority
authority_make(const char *dir, const char *name)
{
	struct authority a = { .key = EVP_EC_gen("P-256") };

	assert_non_null(a.key);
	a.cert = certificate_make(name, NULL, a.key, NULL, -3600, 86400);
	write_pem(in_dir(dir, name, "pem"), a.cert, NULL, NULL);
	return a;
}

static inline void
authority_clear(struct authority *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
}

/* NAME.pem and NAME.key, signed by a; names as in "DNS:here,IP:127.0.0.1". */
static inline void
authority_issue(const struct authority *a, const char *dir, const char *name,
    const char *names, long begin, long end)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = certificate_make(name, names, key, a, begin, end);

	write_pem(in_dir(dir, name, "pem"), cert, NULL, NULL);
	write_pem(in_dir(dir, name, "key"), NULL, key, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
}

#endif
