/*
 * pristine - whether a directory is as mkdir(2) made it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/pristine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool
is_ours_alone(const struct stat *st)
{
	return st->st_mode == (S_IFDIR | 0700) && st->st_uid == geteuid() &&
	    st->st_gid == getegid();
}

/* These mark every change to a directory with the kernel's own clock. */
static bool
keeps_time(int fd)
{
	static const unsigned known[] = { EXT4_SUPER_MAGIC, TMPFS_MAGIC,
		XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if ((unsigned)fs.f_type == known[i])
			return true;
	return false;
}

/* An old ext4 keeps whole seconds; one in a million others looks like that. */
static void
make_mark(int fd, const struct stat *st, struct pristine_mark *mark)
{
	*mark = (struct pristine_mark){ st->st_dev, st->st_ino, { 0, 0 } };
	if (st->st_ctim.tv_nsec % 1000 != 0 && keeps_time(fd))
		mark->changed = st->st_ctim;
}

/* As getdents64(2) fills it: opendir(3) would allocate 32 KiB each time. */
static bool
is_empty(int fd)
{
	_Alignas(struct dirent64) char bytes[512];
	long n;

	while ((n = syscall(SYS_getdents64, fd, bytes, sizeof bytes)) > 0) {
		for (long at = 0; at < n;) {
			const char *entry = bytes + at;
			const char *name =
			    entry + offsetof(struct dirent64, d_name);
			unsigned short len;

			if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
				return false;
			memcpy(&len,
			    entry + offsetof(struct dirent64, d_reclen),
			    sizeof len);
			at += len;
		}
	}
	return n == 0;
}

/* What a security module sets is the same for all our directories. */
static bool
has_no_attributes(int fd)
{
	static const char system[] = "security.";
	char names[512];
	ssize_t n = flistxattr(fd, names, sizeof names);

	if (n < 0)
		return errno == ENOTSUP;
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1)
		if (strncmp(names + at, system, sizeof system - 1) != 0)
			return false;
	return true;
}

/* The time is read before the rest: what happens meanwhile comes after it. */
bool
pristine(const char *path, struct pristine_mark *mark)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return false;
	bool result = fstat(fd, &st) == 0 && is_ours_alone(&st) &&
	    has_no_attributes(fd) && is_empty(fd);
	if (result && mark != NULL)
		make_mark(fd, &st, mark);
	close(fd);
	return result;
}

static bool
is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec
				      : a->tv_nsec < b->tv_nsec;
}

/* Changes are marked with the coarse clock, or with a finer one: later. */
bool
pristine_shows(const struct pristine_mark *mark)
{
	struct timespec now;

	return mark->changed.tv_nsec != 0 &&
	    clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
	    is_before(&mark->changed, &now);
}

bool
pristine_untouched(const char *path, const struct pristine_mark *mark)
{
	struct stat st;

	return mark->changed.tv_nsec != 0 && lstat(path, &st) == 0 &&
	    st.st_dev == mark->device && st.st_ino == mark->inode &&
	    st.st_ctim.tv_sec == mark->changed.tv_sec &&
	    st.st_ctim.tv_nsec == mark->changed.tv_nsec;
}
