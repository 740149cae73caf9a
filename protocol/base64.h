/*
 * base64 - what stands for bytes in JSON, read back (RFC 4648, RFC 2045).
 *
 * Line ends between the characters are skipped.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_BASE64_H
#define PROTOCOL_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Decodes len characters into out, which has room for BASE64_ROOM(len) bytes.
 * Returns how many bytes that gave; -EINVAL for text that is no base64, or is
 * not complete; -ENOMEM.
 */
#define BASE64_ROOM(len) ((len) / 4 * 3 + 3)
ssize_t base64_decode(const char *text, size_t len, unsigned char *out);

#endif
