/*
 * base64 - by OpenSSL.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/base64.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <openssl/evp.h>

/* The library's end of data: what follows would be skipped in silence. */
static const char end_mark = '-';

ssize_t
base64_decode(const char *text, size_t len, unsigned char *out)
{
	EVP_ENCODE_CTX *ctx;
	int n = 0, rest = 0, r;

	if (len > INT_MAX || memchr(text, end_mark, len) != NULL)
		return -EINVAL;
	ctx = EVP_ENCODE_CTX_new();
	if (ctx == NULL)
		return -ENOMEM;
	EVP_DecodeInit(ctx);
	r = EVP_DecodeUpdate(
	    ctx, out, &n, (const unsigned char *)text, (int)len);
	if (r >= 0)
		r = EVP_DecodeFinal(ctx, out + n, &rest);
	EVP_ENCODE_CTX_free(ctx);
	return r < 0 ? -EINVAL : (ssize_t)n + rest;
}
