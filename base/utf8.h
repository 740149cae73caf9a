/*
 * utf8 - how many bytes the next character takes, if it is one (RFC 3629).
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/* What stands for bytes that are not UTF-8. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/*
 * The length, 1 to 4, of the well-formed character at the front of n bytes.
 * 0 when there is none: not UTF-8, a surrogate, above U+10FFFF, or cut short.
 */
size_t utf8_step(const char *bytes, size_t n);

/*
 * The most bytes of text, at most max, that do not end within a character.
 * text itself must be UTF-8.
 */
size_t utf8_cut(const char *text, size_t len, size_t max);

#endif
