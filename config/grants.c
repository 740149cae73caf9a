/*
 * grants - the service's credentials that a program is given.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/grants.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/credentials.h"
#include "config/secret.h"
#include "config/settings.h"

enum { NAME_MAX_BYTES = 200 };

/* Its place in the directory; NULL when that is too long. */
static const char *
path_of(const char *dir, const char *credential, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, credential);

	return n > 0 && n < PATH_MAX ? path : NULL;
}

static bool
is_there(struct reader *r, const struct node *n, const char *name,
    const char *dir, const char *credential)
{
	char path[PATH_MAX], quoted[READER_QUOTED_MAX];
	struct stat st;

	reader_quote(credential, quoted);
	if (path_of(dir, credential, path) == NULL || stat(path, &st) < 0)
		reader_complain(r, n->at,
		    "%s: %s is not in CREDENTIALS_DIRECTORY: %s, expected one "
		    "of the service's LoadCredential=",
		    name, quoted, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		reader_complain(r, n->at,
		    "%s: %s is not a regular file in CREDENTIALS_DIRECTORY, "
		    "expected one",
		    name, quoted);
	else
		return true;
	return false;
}

static bool
fits(struct reader *r, const struct node *n, const char *name,
    const struct grants *g, const char *credential)
{
	char quoted[READER_QUOTED_MAX];

	reader_quote(credential, quoted);
	if (*credential == '\0' || *credential == '.' ||
	    strchr(credential, '/') != NULL ||
	    strlen(credential) > NAME_MAX_BYTES) {
		reader_complain(r, n->at,
		    "%s: %s cannot be a credential, expected at most %d bytes "
		    "without '/' and no '.' in front",
		    name, quoted, NAME_MAX_BYTES);
		return false;
	}
	if (strcmp(credential, SECRET_CREDENTIAL) == 0) {
		reader_complain(r, n->at,
		    "%s: %s is the server's password, expected another "
		    "credential",
		    name, credential);
		return false;
	}
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->names[i], credential) == 0) {
			reader_complain(r, n->at,
			    "%s: %s stands twice, expected each once", name,
			    quoted);
			return false;
		}
	return g->dir == NULL || is_there(r, n, name, g->dir, credential);
}

void
grants_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct grants **place = to;
	const char *dir = r->lookup(CREDENTIALS_VARIABLE);

	grants_free(*place);
	*place = NULL;
	if (!reader_wants(r, n, NODE_LIST, name, "a list of credentials"))
		return;
	if (n->count > GRANTS_MAX) {
		reader_complain(r, n->at,
		    "%s: %zu credentials, expected at most %d", name, n->count,
		    GRANTS_MAX);
		return;
	}
	if (n->count == 0)
		return;
	struct grants *g = calloc(1, sizeof *g);
	if (g == NULL ||
	    (dir != NULL && *dir == '/' && !credentials_are_elsewhere(dir) &&
		(g->dir = strdup(dir)) == NULL)) {
		reader_no_memory(r);
		grants_free(g);
		return;
	}
	g->at = n->at;
	for (size_t i = 0; i < n->count; i++) {
		char *text =
		    reader_text(r, n->items[i], name, "a credential's name");

		if (text != NULL && fits(r, n->items[i], name, g, text))
			g->names[g->count++] = text;
		else
			free(text);
	}
	*place = g;
}

static void
check_one(struct reader *r, const struct handler *h, const char *file,
    const char *what)
{
	const struct grants *g = h->credentials;
	char path[PATH_MAX];

	for (size_t i = 0; file != NULL && i < g->count; i++)
		if (path_of(g->dir, g->names[i], path) != NULL &&
		    strcmp(path, file) == 0)
			reader_complain(r, g->at,
			    "jobs.%.100s.credentials: %s is %s, expected "
			    "another credential",
			    h->jobtype, g->names[i], what);
}

void
grants_check(struct reader *r, const struct settings *s)
{
	for (size_t i = 0; i < s->nhandlers; i++) {
		const struct handler *h = &s->handlers[i];

		if (h->credentials == NULL || h->credentials->dir == NULL)
			continue;
		check_one(r, h, s->password_file, "the server's password");
		check_one(r, h, s->tls.key, "the supervisor's own key");
	}
}

bool
grants_lack(const struct grants *g)
{
	return g != NULL && g->dir == NULL;
}

void
grants_free(struct grants *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->count; i++)
		free(g->names[i]);
	free(g->dir);
	free(g);
}
