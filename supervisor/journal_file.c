/*
 * journal_file - openat, write, fdatasync, renameat, flock.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write_all.h"

static const char file_name[] = "outcomes", new_name[] = "outcomes.new";

/* Nobody else may read what jobs are about. */
static int
create(const struct journal_file *f, const char *name)
{
	return openat(f->dir, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int
journal_file_open(struct journal_file *f, const char *path, struct err *e)
{
	*f = (struct journal_file){ .dir = -1, .fd = -1 };
	f->path = strdup(path);
	if (f->path == NULL)
		return err_set(e, ENOMEM, "out of memory");
	f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	if (flock(f->dir, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
		    ? err_set(e, EBUSY,
			  "%s: another supervisor keeps its outcomes here; "
			  "each needs a state_dir of its own",
			  path)
		    : err_set(e, errno, "lock %s: %s", path, strerror(errno));
	return 0;
}

void
journal_file_close(struct journal_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	free(f->path);
	*f = (struct journal_file){ .dir = -1, .fd = -1 };
}

int
journal_file_load(
    struct journal_file *f, size_t max, char **text, size_t *len, struct err *e)
{
	int fd = openat(
	    f->dir, file_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t have = 0;

	*text = NULL;
	*len = 0;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (size_t)st.st_size > max) {
		int failed = fd < 0 ? errno : EINVAL;

		if (fd >= 0)
			close(fd);
		return err_set(e, failed, "%s/%s: %s", f->path, file_name,
		    failed == EINVAL ? "not a journal" : strerror(failed));
	}
	*text = malloc((size_t)st.st_size + 1);
	while (*text != NULL && have < (size_t)st.st_size) {
		ssize_t n = read(fd, *text + have, (size_t)st.st_size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	close(fd);
	*len = have;
	return *text != NULL ? 0 : err_set(e, ENOMEM, "out of memory");
}

int
journal_file_append(struct journal_file *f, const struct buf *more)
{
	int r = write_all(f->fd, buf_front(more), buf_len(more));

	if (r == 0 && fdatasync(f->fd) < 0)
		r = -errno;
	if (r == 0) {
		f->size += buf_len(more);
		return 0;
	}
	close(f->fd);
	f->fd = -1;
	return r;
}

int
journal_file_replace(struct journal_file *f, const struct buf *all)
{
	int fd = create(f, new_name), r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, buf_front(all), buf_len(all));
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(f->dir, new_name, f->dir, file_name) < 0)
		r = -errno;
	if (r == 0 && fsync(f->dir) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		(void)unlinkat(f->dir, new_name, 0);
		return r;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->size = buf_len(all);
	return 0;
}
