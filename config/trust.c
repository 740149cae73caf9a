/*
 * trust - a walk along a path.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/trust.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
	char at[PATH_MAX];   /* so far, no link in it; "" is the root */
	char rest[PATH_MAX]; /* to come */
	unsigned links;
	uid_t also;
};

static int
judge(const struct walk *w, const char *what, const struct stat *st,
    struct err *e)
{
	bool ours =
	    st->st_uid == 0 || st->st_uid == geteuid() || st->st_uid == w->also;
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0;

	if (!ours)
		return err_set(e, EPERM,
		    "%s belongs to user %u, who could put another program "
		    "there, expected root or this user (%u)",
		    what, (unsigned)st->st_uid, (unsigned)geteuid());
	if (!S_ISLNK(st->st_mode) && !sticky &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, EPERM,
		    "%s can be written by its group or by others (mode %04o), "
		    "expected chmod go-w",
		    what, (unsigned)st->st_mode & 07777);
	return 0;
}

/* Takes the next component off the rest. False at the end. */
static bool
next(struct walk *w, char out[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/");
	size_t len = strcspn(w->rest + skip, "/");

	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(out, w->rest + skip, len);
	out[len] = '\0';
	/* Forwards, byte by byte: source and destination overlap. */
	const char *from = w->rest + skip + len;
	size_t i = 0;
	do
		w->rest[i] = from[i];
	while (from[i++] != '\0');
	return true;
}

static void
go_up(struct walk *w)
{
	char *slash = strrchr(w->at, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* What a link says comes before the rest. */
static int
follow(struct walk *w, const char *link, struct err *e)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlink(link, target, sizeof target - 1);

	if (len < 0)
		return err_set(e, errno, "%s: %s", link, strerror(errno));
	target[len] = '\0';
	int n = snprintf(rest, sizeof rest, "%s/%s", target, w->rest);
	if (++w->links > TRUST_LINKS_MAX || n < 0 || (size_t)n >= sizeof rest)
		return err_set(e, ELOOP, "%s: too many symbolic links", link);
	if (target[0] == '/')
		w->at[0] = '\0';
	memcpy(w->rest, rest, (size_t)n + 1);
	return 0;
}

static int
step(struct walk *w, const char *name, struct err *e)
{
	char there[PATH_MAX];
	struct stat st;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0) {
		go_up(w);
		return 0;
	}
	int n = snprintf(there, sizeof there, "%s/%s", w->at, name);
	if (n < 0 || (size_t)n >= sizeof there)
		return err_set(e, ENAMETOOLONG, "%.200s...: too long", w->at);
	if (lstat(there, &st) < 0)
		return err_set(e, errno, "%s: %s", there, strerror(errno));
	int r = judge(w, there, &st, e);
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode))
		return follow(w, there, e);
	memcpy(w->at, there, (size_t)n + 1);
	return 0;
}

int
trust_check(const char *file, uid_t also, struct err *e)
{
	struct walk w = { .also = also };
	char name[NAME_MAX + 1];
	struct stat st;
	int n = snprintf(w.rest, sizeof w.rest, "%s", file);
	int r = 0;

	if (n < 0 || (size_t)n >= sizeof w.rest)
		return err_set(e, ENAMETOOLONG, "%.200s...: too long", file);
	if (lstat("/", &st) < 0)
		return err_set(e, errno, "/: %s", strerror(errno));
	r = judge(&w, "/", &st, e);
	while (r == 0 && next(&w, name))
		r = step(&w, name, e);
	if (r == 0 && w.rest[strspn(w.rest, "/")] != '\0')
		return err_set(e, ENAMETOOLONG, "%.200s...: too long", file);
	return r;
}
