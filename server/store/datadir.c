/*
 * datadir - the directory that one server owns while it runs.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/datadir.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct datadir {
	int lock;
	char file[PATH_MAX];
	char log[PATH_MAX];
};

int
datadir_sync_parent(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int
make_directory(const char *path, struct err *e)
{
	if (mkdir(path, 0700) < 0) {
		if (errno == EEXIST)
			return 0;
		return err_set(
		    e, errno, "make directory %s: %s", path, strerror(errno));
	}
	int r = chmod(path, 0700) < 0 ? -errno : datadir_sync_parent(path);
	if (r < 0)
		return err_set(
		    e, -r, "make directory %s: %s", path, strerror(-r));
	return 0;
}

static int
tell_owner(int fd, const char *path, struct err *e)
{
	char pid[32];
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
	if (pid[0] == '\0')
		return err_set(
		    e, EBUSY, "%s is in use by another server", path);
	return err_set(
	    e, EBUSY, "%s is in use by another server, process %s", path, pid);
}

static int
write_owner(int fd)
{
	char pid[32];
	int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

	if (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0)
		return -errno;
	if (pwrite(fd, pid, (size_t)n, 0) == n)
		return 0;
	/*
	 * A full disk must not keep a server from starting: it may be here to
	 * work its jobs off. Only a second server's message suffers.
	 */
	return errno == ENOSPC || errno == EDQUOT ? 0 : -errno;
}

static int
take_lock(struct datadir *d, const char *path, struct err *e)
{
	char name[PATH_MAX];

	snprintf(name, sizeof name, "%s/lock", path);
	d->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock < 0)
		return err_set(e, errno, "open %s: %s", name, strerror(errno));
	if (flock(d->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return tell_owner(d->lock, path, e);
		return err_set(e, errno, "lock %s: %s", name, strerror(errno));
	}
	int r = write_owner(d->lock);
	if (r < 0)
		return err_set(e, -r, "write %s: %s", name, strerror(-r));
	return 0;
}

struct datadir *
datadir_open(const char *path, struct err *e)
{
	static const char longest[] = "/faktotum.db.new-journal";
	struct datadir *d;

	if (path[0] == '\0' || strlen(path) + sizeof longest > PATH_MAX) {
		err_set(e, path[0] == '\0' ? ENOENT : ENAMETOOLONG,
		    "data directory \"%.64s\": the name is %s", path,
		    path[0] == '\0' ? "empty" : "too long");
		return NULL;
	}
	d = calloc(1, sizeof *d);
	if (d == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	d->lock = -1;
	snprintf(d->file, sizeof d->file, "%s/faktotum.db", path);
	snprintf(d->log, sizeof d->log, "%s/faktotum.db-wal", path);
	if (make_directory(path, e) < 0 || take_lock(d, path, e) < 0) {
		datadir_close(d);
		return NULL;
	}
	return d;
}

void
datadir_close(struct datadir *d)
{
	if (d == NULL)
		return;
	if (d->lock >= 0)
		close(d->lock);
	free(d);
}

const char *
datadir_file(const struct datadir *d)
{
	return d->file;
}

int64_t
datadir_bytes(const struct datadir *d)
{
	struct stat file, log;
	int64_t bytes = 0;

	if (stat(d->file, &file) == 0)
		bytes += file.st_size;
	if (stat(d->log, &log) == 0)
		bytes += log.st_size;
	return bytes;
}
