/*
 * expand - ${NAME} and ${NAME:-default} in a value, from the environment.
 *
 * Only values that have already been cut out of the file are expanded, once,
 * so what a variable holds can never become a key, a list or another
 * variable. $$ is a dollar; a dollar before anything else is itself.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include "base/err.h"

enum { EXPAND_MAX = 1024 * 1024, EXPAND_NAME_MAX = 255 };

/* What a brace in a variable's value becomes. */
enum expand_braces {
	EXPAND_AS_IS,
	EXPAND_DOUBLED, /* for a template, where {{ is a brace */
};

/*
 * The default stands in for a variable that is unset or empty; it ends at the
 * first '}' and is not expanded itself.
 * Returns the expanded text, owned: free(). NULL with *e set.
 */
char *expand(const char *text, enum expand_braces braces,
    const char *(*lookup)(const char *name), struct err *e);

#endif
