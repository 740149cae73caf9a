/*
 * sandbox - a view of the system of the program's own: mounts and network.
 *
 * What must stay as it is below something that changes is taken out first, as
 * a tree of mounts that is nowhere (open_tree(2)), and put back afterwards: so
 * it keeps exactly the flags that it had.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handlers/in_child.h"

/* <sys/mount.h> and <linux/mount.h> exclude each other in older C libraries. */
enum {
	FLAG_NOSUID = 2,
	FLAG_NODEV = 4,
	FLAG_NOEXEC = 8,
	FLAG_BIND = 4096,
	FLAG_REC = 16384,
	FLAG_SLAVE = 1 << 19,
};

enum { PATH_ROOM = 4096 };

static int IN_CHILD
mount_raw(const char *from, const char *to, const char *type,
    unsigned long flags, const char *data)
{
	return (int)syscall(SYS_mount, from, to, type, flags, data);
}

static int IN_CHILD
take_out(const char *path)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

static int IN_CHILD
put_back(int tree, const char *path)
{
	long r = syscall(
	    SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);

	(void)syscall(SYS_close, tree);
	return (int)r;
}

static int IN_CHILD
make_read_only(const char *path)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE,
	    &attr, sizeof attr);
}

/* A path becomes a mount of its own, so that it can be changed alone. */
static int IN_CHILD
protect(const char *path)
{
	if (mount_raw(path, path, NULL, FLAG_BIND | FLAG_REC, NULL) < 0)
		return errno == ENOENT ? 0 : -1;
	return make_read_only(path);
}

/* mkdir -p, for directories that only a new /tmp can lack. */
static int IN_CHILD
make_way(const char *path)
{
	char part[PATH_ROOM];

	for (size_t i = 0; path[i] != '\0'; i++) {
		if (i + 1 >= sizeof part) {
			errno = ENAMETOOLONG;
			return -1;
		}
		part[i] = path[i];
		part[i + 1] = '\0';
		if (i > 0 && (path[i + 1] == '/' || path[i + 1] == '\0') &&
		    syscall(SYS_mkdirat, AT_FDCWD, part, 0711) < 0 &&
		    errno != EEXIST)
			return -1;
	}
	return 0;
}

static bool IN_CHILD
is_below(const char *path, const char *dir)
{
	size_t i = 0;

	for (; dir[i] != '\0'; i++)
		if (path[i] != dir[i])
			return false;
	return path[i] == '/';
}

static int IN_CHILD
own_tmp(const char *dir, const char *keep)
{
	bool kept = keep != NULL && is_below(keep, dir);
	int tree = kept ? take_out(keep) : -1;

	if (kept && tree < 0)
		return -1;
	if (mount_raw("tmpfs", dir, "tmpfs", FLAG_NOSUID | FLAG_NODEV,
		"mode=1777") < 0)
		return -1;
	if (!kept)
		return 0;
	return make_way(keep) < 0 ? -1 : put_back(tree, keep);
}

static int IN_CHILD
protect_all(const struct sandbox *s)
{
	const char *const paths[] = { "/dev", "/proc", "/sys", s->keep,
		s->tmp ? "/tmp" : NULL, s->tmp ? "/var/tmp" : NULL };
	int trees[sizeof paths / sizeof paths[0]];

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		trees[i] = paths[i] != NULL ? take_out(paths[i]) : -1;
		if (paths[i] != NULL && trees[i] < 0 && errno != ENOENT)
			return -1;
	}
	if (make_read_only("/") < 0)
		return -1;
	/* The private directory last: it may lie below one of the others. */
	static const size_t order[] = { 0, 1, 2, 4, 5, 3 };
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (trees[order[i]] >= 0 &&
		    put_back(trees[order[i]], paths[order[i]]) < 0)
			return -1;
	return 0;
}

static int IN_CHILD
own_mounts(const struct sandbox *s)
{
	if (mount_raw(NULL, "/", NULL, FLAG_REC | FLAG_SLAVE, NULL) < 0)
		return -1;
	if (s->proc &&
	    mount_raw("proc", "/proc", "proc",
		FLAG_NOSUID | FLAG_NODEV | FLAG_NOEXEC, NULL) < 0)
		return -1;
	if (s->tmp &&
	    (own_tmp("/tmp", s->keep) < 0 || own_tmp("/var/tmp", s->keep) < 0))
		return -1;
	if (s->all && protect_all(s) < 0)
		return -1;
	for (size_t i = 0; i < s->nread_only; i++)
		if (protect(s->read_only[i]) < 0)
			return -1;
	return 0;
}

/* An interface that is down is no loopback for programs that expect one. */
static int IN_CHILD
raise_loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	long r = syscall(SYS_ioctl, fd, SIOCSIFFLAGS, &lo);
	(void)syscall(SYS_close, fd);
	return (int)r;
}

int IN_CHILD
sandbox_enter(const struct sandbox *s)
{
	bool mounts = s->tmp || s->proc || s->all || s->nread_only > 0;
	int flags =
	    (mounts ? CLONE_NEWNS : 0) | (s->network ? CLONE_NEWNET : 0);

	if (flags == 0)
		return 0;
	if (syscall(SYS_unshare, flags) < 0)
		return -1;
	if (s->network && raise_loopback() < 0)
		return -1;
	return mounts ? own_mounts(s) : 0;
}
