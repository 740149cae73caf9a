/*
 * access - the password is compared in a time that tells nothing of it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/web/access.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

/* Hashes have one length, whatever was sent. */
static int
same(const char *given, const char *wanted)
{
	unsigned char a[SHA256_DIGEST_LENGTH], b[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)given, strlen(given), a);
	SHA256((const unsigned char *)wanted, strlen(wanted), b);
	return CRYPTO_memcmp(a, b, sizeof a) == 0;
}

enum access
access_of(struct MHD_Connection *c, const char *password)
{
	enum access may = ACCESS_UNASKED;
	char *given = NULL, *user;

	if (password == NULL)
		return ACCESS_GRANTED;
	user = MHD_basic_auth_get_username_password(c, &given);
	if (given != NULL) {
		may = same(given, password) ? ACCESS_GRANTED : ACCESS_WRONG;
		explicit_bzero(given, strlen(given));
	}
	MHD_free(given);
	MHD_free(user);
	return may;
}
