/*
 * password - the proof of a password that HELLO carries.
 *
 * Declared in protocol/hello.h.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "protocol/hello.h"

enum { DIGEST_BYTES = HELLO_HASH_HEX / 2 };

static bool
digest_of(EVP_MD_CTX *ctx, const EVP_MD *sha, const char *password,
    const char *salt, uint32_t rounds, unsigned char digest[DIGEST_BYTES])
{
	if (EVP_DigestInit_ex(ctx, sha, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, password, strlen(password)) != 1 ||
	    EVP_DigestUpdate(ctx, salt, strlen(salt)) != 1 ||
	    EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
		return false;
	for (uint32_t i = 1; i < rounds; i++)
		if (EVP_DigestInit_ex(ctx, sha, NULL) != 1 ||
		    EVP_DigestUpdate(ctx, digest, DIGEST_BYTES) != 1 ||
		    EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
			return false;
	return true;
}

int
password_hash(const char *password, const char *salt, uint32_t rounds,
    char hex[HELLO_HASH_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[DIGEST_BYTES];

	/* Fetched once: looking it up anew costs more than a round. */
	EVP_MD *sha = EVP_MD_fetch(NULL, "SHA256", NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = sha != NULL && ctx != NULL &&
	    digest_of(ctx, sha, password, salt, rounds, digest);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(sha);
	if (!ok)
		return -EIO;

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[HELLO_HASH_HEX] = '\0';
	OPENSSL_cleanse(digest, sizeof digest);
	return 0;
}

bool
password_proved(
    const struct hello *h, const struct greeting *g, const char *password)
{
	char want[HELLO_HASH_HEX + 1];

	if (h->version < HELLO_VERSION || g->rounds == 0)
		return false;
	if (h->pwdhash == NULL || strlen(h->pwdhash) != HELLO_HASH_HEX)
		return false;
	if (password_hash(password, g->salt, g->rounds, want) < 0)
		return false;
	bool same = CRYPTO_memcmp(want, h->pwdhash, HELLO_HASH_HEX) == 0;
	OPENSSL_cleanse(want, sizeof want);
	return same;
}
