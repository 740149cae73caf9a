/*
 * grants - the service's credentials that a program is given.
 *
 * They are files of the directory that a service manager names in
 * $CREDENTIALS_DIRECTORY (systemd's LoadCredential=).
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_GRANTS_H
#define CONFIG_GRANTS_H

#include <stddef.h>

#include "config/document.h"
#include "config/reader.h"

struct settings;

enum { GRANTS_MAX = 16 };

struct grants {
	struct mark at;
	char *dir; /* owned; NULL: there is none in the environment */
	char *names[GRANTS_MAX]; /* owned; without a slash, each once */
	size_t count;
};

/*
 * A FIELD_OTHER decoder into a struct grants *, NULL or owned before. A
 * credential that is not in the directory is a mistake; without a directory
 * only the names are looked at (grants_lack()).
 */
void grants_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/* Complains of those that hold what is the supervisor's alone. */
void grants_check(struct reader *r, const struct settings *s);

/* Whether there are some and no directory to take them from. */
bool grants_lack(const struct grants *g);

/* Accepts NULL. */
void grants_free(struct grants *g);

#endif
