/*
 * patterns - what must not leave this host: regular expressions and their use.
 *
 * The operator writes POSIX extended regular expressions, see regex(7). What
 * one matches is replaced; when it has a group, only what the first group
 * matched, so that `password=([^ ]+)` keeps the word that explains.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_PATTERNS_H
#define CONFIG_PATTERNS_H

#include <stddef.h>

#include "config/reader.h"

enum { PATTERNS_MAX = 64, PATTERN_LEN_MAX = 1024 };

/* What stands where something was. */
#define PATTERNS_REDACTED "[redacted]"

struct patterns; /* NULL: none */

/* A FIELD_OTHER decoder into a struct patterns *, which must be NULL or owned. */
void patterns_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/* Accepts NULL. */
void patterns_free(struct patterns *p);

/* As they were written; borrowed. p may be NULL, and is not with a text. */
size_t patterns_count(const struct patterns *p);
const char *patterns_text(const struct patterns *p, size_t i);

/*
 * A copy of text, which is valid UTF-8, without what matches. Owned: free().
 * NULL when memory is short. p may be NULL.
 */
char *patterns_redact(const struct patterns *p, const char *text);

#endif
