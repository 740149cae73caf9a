/*
 * place - programs and directories that settings name: do they fit?
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/place.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/field.h"

static int
check_program(const char *file, struct err *e)
{
	struct stat st;

	if (stat(file, &st) < 0 && errno == ENOENT)
		return err_set(e, ENOENT, "%s does not exist", file);
	if (stat(file, &st) < 0)
		return err_set(e, errno, "%s: %s", file, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(
		    e, EISDIR, "%s is a directory, expected a program", file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL,
		    "%s is not a regular file, expected a program", file);
	if (access(file, X_OK) < 0)
		return err_set(e, EACCES,
		    "%s cannot be executed (mode %04o), expected chmod +x",
		    file, (unsigned)st.st_mode & 07777);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, EPERM,
		    "%s can be written by its group or by others (mode %04o), "
		    "expected chmod go-w",
		    file, (unsigned)st.st_mode & 07777);
	return 0;
}

/* The first directory that has an executable file of this name. */
static char *
search(const char *name, const char *path, struct err *e)
{
	char file[PATH_MAX];
	struct stat st;

	for (const char *dir = path; dir != NULL;) {
		int len = (int)strcspn(dir, ":");
		int n = snprintf(file, sizeof file, "%.*s/%s", len, dir, name);

		if (n > 0 && (size_t)n < sizeof file && stat(file, &st) == 0 &&
		    S_ISREG(st.st_mode) && access(file, X_OK) == 0)
			return strdup(file);
		dir = dir[len] == ':' ? dir + len + 1 : NULL;
	}
	err_set(e, ENOENT, "%.100s is not a program in %.300s", name, path);
	return NULL;
}

char *
place_program(const char *name, const char *path, struct err *e)
{
	char *file;

	if (name[0] != '/' && strchr(name, '/') != NULL) {
		err_set(e, EINVAL,
		    "%.200s is relative, expected an absolute path or a bare "
		    "name",
		    name);
		return NULL;
	}
	if (*name == '\0') {
		err_set(e, EINVAL, "empty, expected a program");
		return NULL;
	}
	e->code = ENOMEM;
	snprintf(e->text, sizeof e->text, "not enough memory");
	file = name[0] == '/' ? strdup(name) : search(name, path, e);
	if (file != NULL && check_program(file, e) < 0) {
		free(file);
		file = NULL;
	}
	return file;
}

/* The text, owned, when it is an absolute path; else a complaint. */
static char *
absolute(struct reader *r, const struct node *n, const char *name,
    const char *expected)
{
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);

	if (text == NULL || *text == '/')
		return text;
	reader_complain(r, n->at, "%s: %s is not absolute, expected %s", name,
	    reader_quote(text, quoted), expected);
	free(text);
	return NULL;
}

void
place_absolute(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	char *text = absolute(r, n, name, "an absolute path");

	if (text != NULL)
		field_set_text(to, text);
}

static void
set_directory(struct reader *r, const struct node *n, const char *name,
    char *text, void *to)
{
	char quoted[READER_QUOTED_MAX];
	struct stat st;
	int failed = stat(text, &st) < 0 ? errno : 0;

	if (failed == 0 && S_ISDIR(st.st_mode)) {
		field_set_text(to, text);
		return;
	}
	reader_quote(text, quoted);
	if (failed == 0)
		reader_complain(r, n->at,
		    "%s: %s is not a directory, expected one", name, quoted);
	else
		reader_complain(r, n->at, "%s: %s: %s, expected a directory",
		    name, quoted, strerror(failed));
	free(text);
}

void
place_directory(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	char *text = absolute(r, n, name, "an absolute path");

	if (text != NULL)
		set_directory(r, n, name, text, to);
}

void
place_workdir(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	if (n->kind == NODE_SCALAR && strcmp(n->text, "private") == 0) {
		field_set_text(to, NULL);
		return;
	}
	char *text = absolute(r, n, name, "an absolute path or private");
	if (text != NULL)
		set_directory(r, n, name, text, to);
}

void
place_path(struct reader *r, const struct node *n, const char *name, void *to)
{
	const char *expected = "absolute directories with colons between";
	char *text = reader_text(r, n, name, expected);

	if (text == NULL)
		return;
	for (const char *dir = text; dir != NULL;) {
		char quoted[READER_QUOTED_MAX];
		size_t len = strcspn(dir, ":");

		if (*dir != '/') {
			reader_complain(r, n->at,
			    "%s: %s has a part that is not "
			    "absolute, expected %s",
			    name, reader_quote(text, quoted), expected);
			free(text);
			return;
		}
		dir = dir[len] == ':' ? dir + len + 1 : NULL;
	}
	field_set_text(to, text);
}
