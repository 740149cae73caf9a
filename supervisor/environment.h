/*
 * environment - what a program finds in its environment, made from nothing.
 *
 * Nothing is inherited: a fixed base, the names that the handler passes on,
 * its own settings, then what describes the job. A later value of a name
 * takes the place of an earlier one. docs/handlers.md, "Environment".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_ENVIRONMENT_H
#define SUPERVISOR_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/settings.h"

/* A growing environment. Zeroed: empty. */
struct environment {
	char **entries; /* "NAME=value", NULL-terminated unless empty; owned */
	size_t *name_lens; /* of each entry's NAME, owned */
	size_t count;
	size_t cap;
	struct environment_block *blocks; /* what the entries lie in; owned */
};

/*
 * Replaces or adds one name. Returns 0; -ENOMEM; -EINVAL with *e set when
 * "NAME=value" is longer than Linux takes (TEMPLATE_ELEMENT_MAX).
 */
int environment_set(struct environment *v, const char *name, const char *value,
    size_t len, struct err *e);

/*
 * PATH from the settings; HOME, USER, LOGNAME and SHELL of the user that we
 * are; LANG (C.UTF-8 when we have none) and TZ (if we have one) as we have
 * them. lookup is getenv(3) or a test's. Returns as environment_set().
 */
int environment_base(struct environment *v, const struct settings *settings,
    const char *(*lookup)(const char *name), struct err *e);

/* Copies every entry of from. Returns 0 or -ENOMEM; v must be empty. */
int environment_copy(struct environment *v, const struct environment *from);

/* NULL when the name is not set. Borrowed. */
const char *environment_get(const struct environment *v, const char *name);

/* Whether a variable may hold the server's password or speaks for us alone;
 * it is never passed on, whatever the settings say. */
bool
environment_secret(const char *name, const char *(*lookup)(const char *name));

void environment_clear(struct environment *v);

#endif
