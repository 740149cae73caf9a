/*
 * cgroup_place - where in the hierarchy of control groups this process is.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/cgroup_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "handlers/cgroup.h"

/* \040 and the like in mountinfo, proc_pid_mountinfo(5). */
static void
unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
			*to = (char)((from[1] - '0') * 64 +
			    (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* Fields 4 and 5 of the first line whose type is cgroup2. */
static bool
find_mount(char root[PATH_MAX], char point[PATH_MAX])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	while (f != NULL && !found && getline(&line, &room, f) > 0) {
		const char *type = strstr(line, " - ");
		char *words[5], *rest = line;
		size_t n = 0;

		if (type == NULL || strncmp(type, " - cgroup2 ", 11) != 0)
			continue;
		while (n < 5 && (words[n] = strsep(&rest, " ")) != NULL)
			n++;
		if (n < 5 || strlen(words[3]) >= PATH_MAX ||
		    strlen(words[4]) >= PATH_MAX)
			continue;
		(void)snprintf(root, PATH_MAX, "%s", words[3]);
		(void)snprintf(point, PATH_MAX, "%s", words[4]);
		unescape(root);
		unescape(point);
		found = true;
	}
	free(line);
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* The line "0::/path" of /proc/PID/cgroup. */
bool
cgroup_place_of(pid_t pid, char group[PATH_MAX])
{
	char name[64];
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	(void)snprintf(name, sizeof name, "/proc/%d/cgroup",
	    (int)(pid != 0 ? pid : getpid()));
	FILE *f = fopen(name, "re");
	while (f != NULL && !found && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4) != 0 ||
		    strlen(line + 3) >= PATH_MAX)
			continue;
		(void)snprintf(group, PATH_MAX, "%s", line + 3);
		found = true;
	}
	free(line);
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static int
has_none(struct err *e)
{
	return err_set(
	    e, ENOENT, "this host has no control groups of version 2");
}

int
cgroup_place_path(const char *group, char path[PATH_MAX], struct err *e)
{
	char root[PATH_MAX], point[PATH_MAX];

	if (!find_mount(root, point))
		return has_none(e);
	/* A container may see only a part of the hierarchy. */
	const char *below = group;
	size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(group, root, len) == 0 &&
	    (group[len] == '/' || group[len] == '\0'))
		below = group + len;
	int n = snprintf(path, PATH_MAX, "%s%s", point,
	    strcmp(below, "/") == 0 ? "" : below);
	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%.100s: too long", point);
	return 0;
}

int
cgroup_place_find(char path[PATH_MAX], struct err *e)
{
	char group[PATH_MAX];

	if (!cgroup_place_of(0, group))
		return has_none(e);
	char *last = strrchr(group, '/');
	if (strcmp(last + 1, CGROUP_OURS) == 0)
		last[last == group ? 1 : 0] = '\0';
	return cgroup_place_path(group, path, e);
}

/* systemd marks what it delegates; to a user, by giving the directory away. */
bool
cgroups_are_delegated(void)
{
	static const char *const marks[] = { "user.delegate",
		"trusted.delegate" };
	char path[PATH_MAX], value[8];
	struct stat st;
	struct err e;

	if (cgroup_place_find(path, &e) < 0 || stat(path, &st) < 0)
		return false;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (getxattr(path, marks[i], value, sizeof value) == 1 &&
		    value[0] == '1')
			return true;
	return geteuid() != 0 && st.st_uid == geteuid();
}

/* Only a group that is not the root has the file. */
static bool
is_root(int dir)
{
	return faccessat(dir, "cgroup.type", F_OK, 0) < 0;
}

static int
move_into(int dir, const char *name)
{
	char path[64], pid[16];

	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	(void)snprintf(path, sizeof path, "%s/cgroup.procs", name);
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int len = snprintf(pid, sizeof pid, "%d", (int)getpid());
	int r = write(fd, pid, (size_t)len) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int
cgroup_place_enter(struct err *e)
{
	char path[PATH_MAX];
	int r = 0;

	if (cgroup_place_find(path, e) < 0)
		return -1;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		err_set(e, errno, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) < 0 ||
	    faccessat(dir, ".", W_OK, AT_EACCESS) < 0)
		r = -errno;
	if (r == 0 && !is_root(dir))
		r = move_into(dir, CGROUP_OURS);
	if (r == 0)
		return dir;
	close(dir);
	err_set(e, -r, "%s: %s", path, strerror(-r));
	return -1;
}

/* Writing what is enabled already is no mistake. */
bool
cgroup_place_enable(int dir, const char *controller)
{
	char text[32];
	int fd = openat(dir, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	int len = snprintf(text, sizeof text, "+%s", controller);
	ssize_t n = write(fd, text, (size_t)len);
	close(fd);
	return n == len;
}
