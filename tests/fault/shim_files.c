/*
 * shim_files - writes and syncs of files below DATA, which fail, tear, take
 * long, lie, or are remembered.
 *
 * With `undo` each file below DATA gets one beside it, named .undo, that says
 * what a power cut would take back: the bytes that were there before each
 * write since the last sync. A sync empties it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/fault/shim_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *data;
static size_t data_len;
static pthread_mutex_t undoing = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);

void
shim_files_begin(void)
{
	shim_find(&real_pwrite, "pwrite64", NULL);
	shim_find(&real_write, "write", NULL);
	shim_find(&real_fsync, "fsync", NULL);
	shim_find(&real_fdatasync, "fdatasync", NULL);
	shim_find(&real_ftruncate, "ftruncate64", NULL);
	data = getenv("FAULTSHIM_DATA");
	data_len = data != NULL ? strlen(data) : 0;
}

/* Whether fd is a file below DATA; its path is then in `path`. */
static bool
is_data(int fd, char path[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (data_len == 0)
		return false;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 8);
	if (n <= (ssize_t)data_len)
		return false;
	path[n] = '\0';
	/* Shared memory between processes, and no data. */
	if (n > 4 && strcmp(path + n - 4, "-shm") == 0)
		return false;
	return strncmp(path, data, data_len) == 0 && path[data_len] == '/';
}

static bool
is_quiet(void)
{
	return get(&shim_page->write_error) == 0 &&
	    get(&shim_page->sync_error) == 0 && get(&shim_page->sync_ms) == 0 &&
	    get(&shim_page->sync_lies) == 0 && get(&shim_page->undo) == 0;
}

/* What will be changed at `at`, written beside the file. */
static void
remember(int fd, char path[PATH_MAX], off_t at, size_t len)
{
	int64_t head[3];
	struct stat st;
	char *old = malloc(len > 0 ? len : 1);

	if (old == NULL || fstat(fd, &st) < 0)
		shim_give_up(path);
	/* By this descriptor: to open and close the file once more would take
	 * away the locks that the process has on it. */
	ssize_t n = len > 0 ? pread(fd, old, len, at) : 0;
	if (n < 0)
		shim_give_up(path);
	head[0] = st.st_size;
	head[1] = at;
	head[2] = n;
	strcat(path, ".undo");
	int out = open(
	    path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (out < 0 || real_write(out, head, sizeof head) < 0 ||
	    (n > 0 && real_write(out, old, (size_t)n) != n))
		shim_give_up(path);
	close(out);
	free(old);
}

/* Returns the errno to fail with, 0: none. */
static int
meet(const int64_t *error, int64_t *met)
{
	int e = (int)get(error);

	if (e == 0)
		return 0;
	if (error == &shim_page->write_error &&
	    get(&shim_page->write_good) > 0 &&
	    __atomic_sub_fetch(&shim_page->write_good, 1, __ATOMIC_RELAXED) >=
		0)
		return 0;
	count(met);
	return e;
}

static ssize_t
put(int fd, const void *bytes, size_t len, off_t at, bool here)
{
	char path[PATH_MAX];
	int e;

	if (is_quiet() || !is_data(fd, path))
		return here ? real_write(fd, bytes, len)
			    : real_pwrite(fd, bytes, len, at);
	if (get(&shim_page->undo) != 0) {
		off_t from = here ? lseek(fd, 0, SEEK_CUR) : at;

		pthread_mutex_lock(&undoing);
		remember(fd, path, from, len);
		pthread_mutex_unlock(&undoing);
	}
	e = meet(&shim_page->write_error, &shim_page->writes_met);
	if (e == 0)
		return here ? real_write(fd, bytes, len)
			    : real_pwrite(fd, bytes, len, at);
	if (get(&shim_page->write_torn) != 0 && len > 1)
		(void)(here ? real_write(fd, bytes, len / 2)
			    : real_pwrite(fd, bytes, len / 2, at));
	errno = e;
	return -1;
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
	return put(fd, bytes, len, at, false);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return put(fd, bytes, len, at, false);
}

/* May be called before the constructor has run. */
ssize_t
write(int fd, const void *bytes, size_t len)
{
	if (real_write == NULL)
		shim_find(&real_write, "write", NULL);
	if (get(&shim_page->interrupt) != 0 && shim_interrupts(shim_waits(fd)))
		return -1;
	return put(fd, bytes, len, 0, true);
}

static int
sync_it(int fd, int (*really)(int))
{
	char path[PATH_MAX];
	int e, r;

	if (is_quiet() || !is_data(fd, path))
		return really(fd);
	if (get(&shim_page->sync_ms) > 0) {
		const struct timespec t = {
			.tv_sec = get(&shim_page->sync_ms) / 1000,
			.tv_nsec = get(&shim_page->sync_ms) % 1000 * 1000000,
		};

		count(&shim_page->syncs_met);
		nanosleep(&t, NULL);
	}
	e = meet(&shim_page->sync_error, &shim_page->syncs_met);
	if (e != 0) {
		errno = e;
		return -1;
	}
	if (get(&shim_page->sync_lies) != 0) {
		count(&shim_page->syncs_met);
		return 0;
	}
	r = really(fd);
	if (r == 0 && get(&shim_page->undo) != 0) {
		strcat(path, ".undo");
		pthread_mutex_lock(&undoing);
		if (truncate(path, 0) < 0 && errno != ENOENT)
			shim_give_up(path);
		pthread_mutex_unlock(&undoing);
	}
	return r;
}

int
fsync(int fd)
{
	return sync_it(fd, real_fsync);
}

int
fdatasync(int fd)
{
	return sync_it(fd, real_fdatasync);
}

static int
cut(int fd, off_t len)
{
	char path[PATH_MAX];
	struct stat st;

	if (!is_quiet() && get(&shim_page->undo) != 0 && is_data(fd, path) &&
	    fstat(fd, &st) == 0) {
		size_t gone = st.st_size > len ? (size_t)(st.st_size - len) : 0;

		pthread_mutex_lock(&undoing);
		remember(fd, path, len, gone);
		pthread_mutex_unlock(&undoing);
	}
	return real_ftruncate(fd, len);
}

int
ftruncate64(int fd, off_t len)
{
	return cut(fd, len);
}

int
ftruncate(int fd, off_t len)
{
	return cut(fd, len);
}
