/*
 * pattern - a regular expression, with a ceiling on what a match may cost.
 *
 * The dialect is PCRE2's, with JavaScript's meaning where both know a sign:
 * \uXXXX is a character, $ is the very end, [] matches nothing. PCRE2 has its
 * home here.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SCHEMA_PATTERN_H
#define SERVER_SCHEMA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PATTERN_MAX = 4096 }; /* bytes */

struct pattern;

/* NULL with *e set: EINVAL with what is wrong and where, or ENOMEM. */
struct pattern *pattern_new(const char *text, size_t len, struct err *e);
void pattern_free(struct pattern *p); /* accepts NULL */

/*
 * Whether it matches somewhere in well-formed UTF-8: 1 or 0. -E2BIG when
 * finding out would cost more than *left, from which the cost is taken; -ENOMEM.
 */
int pattern_matches(
    struct pattern *p, const char *text, size_t len, uint64_t *left);

#endif
