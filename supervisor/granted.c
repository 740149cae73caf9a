/*
 * granted - copies of credentials, where the program of one job finds them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/granted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"

enum { NO_FILE = -EBADF }; /* but a directory, or what one may wait at */

/* Returns 0, or a negative errno: -EFBIG when it does not end in time. */
static int
copy(int from, int to)
{
	char bytes[4096];
	size_t all = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(from, bytes, sizeof bytes)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		else if ((all += (size_t)n) > GRANTED_SIZE_MAX)
			r = -EFBIG;
		else
			r = write_all(to, bytes, (size_t)n);
	}
	explicit_bzero(bytes, sizeof bytes);
	return r;
}

/* Whose it is depends on the job and not on us. */
static int
hand_over(int fd, mode_t mode, const struct stat *owner)
{
	if (fchmod(fd, mode) < 0)
		return -errno;
	if (owner->st_uid != geteuid() &&
	    fchown(fd, owner->st_uid, owner->st_gid) < 0)
		return -errno;
	return 0;
}

static int
open_source(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s/%s", dir, name);

	if (n < 0 || (size_t)n >= sizeof path)
		return -ENAMETOOLONG;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return NO_FILE;
}

static int
grant(const char *dir, const char *name, int place, const struct stat *owner)
{
	int from = open_source(dir, name);

	if (from < 0)
		return from;
	int to = openat(place, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = to < 0 ? -errno : copy(from, to);

	if (r == 0)
		r = hand_over(to, 0400, owner);
	if (to >= 0 && close(to) < 0 && r == 0)
		r = -errno;
	close(from);
	return r;
}

/* -EINVAL would be the job's fault. */
static int
fail(struct err *e, int r, const char *what)
{
	return err_set(e, -r == EINVAL ? EIO : -r, "credential %s: %s", what,
	    r == NO_FILE ? "it is not a regular file" : strerror(-r));
}

int
granted_write(
    const struct grants *g, int dirfd, const struct stat *owner, struct err *e)
{
	if (grants_lack(g))
		return err_set(e, ENOENT,
		    "credential %s: CREDENTIALS_DIRECTORY is not in the "
		    "environment",
		    g->names[0]);
	if (mkdirat(dirfd, GRANTED_DIRECTORY, 0700) < 0)
		return fail(e, -errno, GRANTED_DIRECTORY);
	int place = openat(dirfd, GRANTED_DIRECTORY,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0)
		return fail(e, -errno, GRANTED_DIRECTORY);
	int r = 0;
	for (size_t i = 0; r == 0 && i < g->count; i++) {
		r = grant(g->dir, g->names[i], place, owner);
		if (r < 0)
			r = fail(e, r, g->names[i]);
	}
	if (r == 0 && (r = hand_over(place, 0500, owner)) < 0)
		r = fail(e, r, GRANTED_DIRECTORY);
	close(place);
	return r;
}
