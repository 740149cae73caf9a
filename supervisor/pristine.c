/*
 * pristine - whether a directory is as mkdir(2) made it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/pristine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool
is_ours_alone(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_mode == (S_IFDIR | 0700) &&
	    st.st_uid == geteuid() && st.st_gid == getegid();
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

bool
pristine(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	bool result =
	    is_ours_alone(fd) && has_no_attributes(fd) && is_empty(fd);
	close(fd);
	return result;
}
