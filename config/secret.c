/*
 * secret - a password: as it is, {file: PATH}, {env: NAME} or
 * {credential: NAME}.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/secret.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/credentials.h"
#include "config/env_name.h"
#include "config/field.h"
#include "config/place.h"

#define EXPECTED SECRET_EXPECTED

/* In the place of one that a check cannot see. */
static const char unseen[] = "a credential that was not looked at";

struct secret {
	char *file;
	char *env;
	char *credential;
};

static const struct field secret_fields[] = {
	{ .name = "file",
	    .kind = FIELD_OTHER,
	    .decode = place_absolute,
	    .offset = offsetof(struct secret, file),
	    .expected = "an absolute path",
	    .help = "file that holds it" },
	{ .name = "env",
	    .kind = FIELD_TEXT,
	    .offset = offsetof(struct secret, env),
	    .expected = "a variable's name",
	    .help = "variable that holds it" },
	{ .name = "credential",
	    .kind = FIELD_TEXT,
	    .offset = offsetof(struct secret, credential),
	    .expected = "a credential's name",
	    .help = "credential of the service manager that holds it" },
	{ 0 },
};

/* Returns the length, or -errno; -EFBIG when it is longer than a secret. */
static ssize_t
read_bounded(const char *file, char bytes[SECRET_MAX + 3])
{
	struct stat st;
	size_t have = 0;
	ssize_t n = 1;
	/* Opening a FIFO would wait for a writer. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	int failed = fstat(fd, &st) < 0 ? errno
	    : !S_ISREG(st.st_mode)      ? EINVAL
					: 0;
	while (failed == 0 && n != 0 && have < SECRET_MAX + 3) {
		n = read(fd, bytes + have, SECRET_MAX + 3 - have);
		if (n < 0 && errno != EINTR)
			failed = errno;
		if (n > 0)
			have += (size_t)n;
	}
	close(fd);
	if (failed != 0)
		return -failed;
	return have == SECRET_MAX + 3 ? -EFBIG : (ssize_t)have;
}

/* Without a line end at its end. NULL with *e set; -ENODATA for an empty file. */
char *
secret_read(const char *file, struct err *e)
{
	char bytes[SECRET_MAX + 3], quoted[READER_QUOTED_MAX];
	ssize_t n = read_bounded(file, bytes);
	char *text = NULL;

	reader_quote(file, quoted);
	if (n == -EINVAL)
		err_set(e, EINVAL, "%s is not a regular file, expected one",
		    quoted);
	else if (n < 0)
		err_set(e, (int)-n,
		    "%s: %s, expected a file of at most %d "
		    "bytes",
		    quoted, strerror((int)-n), SECRET_MAX);
	if (n < 0)
		return NULL;

	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	if (n > 0 && bytes[n - 1] == '\r')
		n--;
	if (memchr(bytes, '\0', (size_t)n) != NULL)
		err_set(
		    e, EINVAL, "%s holds a NUL byte, expected text", quoted);
	else if (n > SECRET_MAX)
		err_set(e, EFBIG, "%s is too long, expected at most %d bytes",
		    quoted, SECRET_MAX);
	else if (n == 0)
		err_set(e, ENODATA, "%s is empty, expected a password", quoted);
	else if ((text = strndup(bytes, (size_t)n)) == NULL)
		err_set(e, ENOMEM, "not enough memory");
	explicit_bzero(bytes, sizeof bytes);
	return text;
}

/*
 * where is what a message calls the file's origin. With empty_ok a file that
 * is not there, or holds nothing, is no secret and no mistake.
 */
static char *
from_file(struct reader *r, struct mark at, const char *where, const char *file,
    bool empty_ok)
{
	struct err e;

	if (credentials_are_elsewhere(file)) {
		char *instead = strdup(unseen);

		if (instead == NULL)
			reader_no_memory(r);
		return instead;
	}
	char *text = secret_read(file, &e);
	if (text != NULL ||
	    (empty_ok && (e.code == ENOENT || e.code == ENODATA)))
		return text;
	reader_complain(r, at, "%s: %s", where, e.text);
	return NULL;
}

static char *
from_env(struct reader *r, struct mark at, const char *name, const char *var)
{
	char quoted[READER_QUOTED_MAX];
	const char *value = env_name_is_valid(var) ? r->lookup(var) : NULL;

	reader_quote(var, quoted);
	if (!env_name_is_valid(var))
		reader_complain(r, at,
		    "%s.env: %s cannot be a variable, expected "
		    "letters, digits and _",
		    name, quoted);
	else if (value == NULL || *value == '\0')
		reader_complain(r, at,
		    "%s.env: %s is %s in the environment, "
		    "expected a password",
		    name, quoted, value == NULL ? "not" : "empty");
	else if (strlen(value) > SECRET_MAX)
		reader_complain(r, at,
		    "%s.env: %s is too long, expected at most "
		    "%d bytes",
		    name, quoted, SECRET_MAX);
	else
		return strdup(value);
	return NULL;
}

/*
 * The file of a credential. NULL when there can be none: no directory in the
 * environment, or a name that leaves it. Returns path.
 */
static const char *
credential_path(struct reader *r, const char *name, char path[static PATH_MAX])
{
	const char *dir = r->lookup(CREDENTIALS_VARIABLE);

	if (dir == NULL || *dir != '/' || *name == '.' ||
	    strchr(name, '/') != NULL)
		return NULL;
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return n > 0 && n < PATH_MAX ? path : NULL;
}

static char *
from_credential(
    struct reader *r, struct mark at, const char *name, const char *credential)
{
	char path[PATH_MAX], where[FIELD_NAME_MAX + 16];
	char quoted[READER_QUOTED_MAX];

	snprintf(where, sizeof where, "%s.credential", name);
	if (credential_path(r, credential, path) != NULL)
		return from_file(r, at, where, path, false);
	reader_quote(credential, quoted);
	if (r->lookup(CREDENTIALS_VARIABLE) == NULL)
		reader_complain(r, at,
		    "%s: %s: CREDENTIALS_DIRECTORY is not in the environment, "
		    "expected a service with LoadCredential=",
		    where, quoted);
	else
		reader_complain(r, at,
		    "%s: %s cannot be a credential, expected a name without "
		    "\"/\"",
		    where, quoted);
	return NULL;
}

static void
decode_mapping(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct secret from = { 0 };
	char prefix[FIELD_NAME_MAX], where[FIELD_NAME_MAX + 8], *text = NULL;
	struct field_given given = { 0 };
	size_t before = r->count;

	snprintf(prefix, sizeof prefix, "%s.", name);
	snprintf(where, sizeof where, "%s.file", name);
	field_read(r, n, prefix, secret_fields, &given, &from);
	if (n->count != 1) {
		if (r->count == before)
			reader_complain(r, n->at, "%s: %s, expected %s", name,
			    n->count > 0 ? "more than one of them" : "empty",
			    EXPECTED);
	} else if (from.file != NULL) {
		text = from_file(r, n->items[0]->at, where, from.file, false);
	} else if (from.env != NULL) {
		text = from_env(r, n->items[0]->at, name, from.env);
	} else if (from.credential != NULL) {
		text =
		    from_credential(r, n->items[0]->at, name, from.credential);
	}
	if (text != NULL)
		field_set_text(to, text);
	free(from.file);
	free(from.env);
	free(from.credential);
}

void
secret_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	if (n->kind == NODE_MAPPING) {
		decode_mapping(r, n, name, to);
		return;
	}
	char *text = reader_text(r, n, name, EXPECTED);
	if (text == NULL)
		return;
	if (*text != '\0' && strlen(text) <= SECRET_MAX) {
		field_set_text(to, text);
		return;
	}
	reader_complain(r, n->at, "%s: %s, expected %s", name,
	    *text == '\0' ? "empty" : "too long", EXPECTED);
	free(text);
}

char *
secret_credential(struct reader *r)
{
	char path[PATH_MAX];

	if (credential_path(r, SECRET_CREDENTIAL, path) == NULL ||
	    credentials_are_elsewhere(path))
		return NULL;
	return from_file(
	    r, (struct mark){ 0 }, CREDENTIALS_VARIABLE, path, true);
}

bool
secret_is_unseen(const char *text)
{
	return text != NULL && strcmp(text, unseen) == 0;
}

int
secret_find(const char *(*lookup)(const char *name), char **text, struct err *e)
{
	struct reader r = { .lookup = lookup };
	char path[PATH_MAX];

	*text = NULL;
	if (credential_path(&r, SECRET_CREDENTIAL, path) == NULL)
		return 0;
	*text = secret_read(path, e);
	if (*text != NULL || e->code == ENOENT || e->code == ENODATA)
		return 0;
	err_wrap(e, CREDENTIALS_VARIABLE);
	return -e->code;
}

char *
secret_file(struct reader *r, const struct node *n)
{
	struct reader muted = { .file = r->file,
		.files = r->files,
		.lookup = r->lookup,
		.muted = true };
	const struct node *file = n != NULL ? node_get(n, "file") : NULL;
	const struct node *name = n != NULL ? node_get(n, "credential") : NULL;
	const char *path = NULL;
	char *text = NULL, at[PATH_MAX];

	if (n != NULL && n->kind != NODE_MAPPING)
		return NULL;
	if (file != NULL)
		return reader_text(&muted, file, "", "");
	if (n == NULL)
		path = credential_path(r, SECRET_CREDENTIAL, at);
	else if (name != NULL)
		text = reader_text(&muted, name, "", "");
	if (text != NULL)
		path = credential_path(r, text, at);
	free(text);
	return path != NULL ? strdup(path) : NULL;
}
