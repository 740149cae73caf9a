/*
 * cgroup - leaves: made, entered, emptied, removed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "handlers/cgroup_place.h"

enum { LEAF_NAME_MAX = 128, NOWHERE = -1, FILE_MAX = 4096, OLD_S = 60 };

struct cgroups {
	int dir; /* where leaves are made */
	bool memory, pids, cpu;
};

struct cgroup_leaf {
	int place; /* borrowed from its struct cgroups; NOWHERE: not ours */
	int dir;
	int entrance; /* -1 once entered */
	char name[];  /* in its place; not ours: the absolute path */
};

/*
 * A supervisor that was killed leaves leaves. One that is empty for so long is
 * nobody's: another supervisor in this place enters its own at once.
 */
static void
remove_old(int dir)
{
	time_t now = time(NULL);
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	DIR *all = copy < 0 ? NULL : fdopendir(copy);

	if (all == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	for (const struct dirent *d; (d = readdir(all)) != NULL;) {
		struct stat st;

		if (strncmp(d->d_name, CGROUP_LEAF, strlen(CGROUP_LEAF)) == 0 &&
		    fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_ctime + OLD_S < now)
			(void)unlinkat(dir, d->d_name, AT_REMOVEDIR);
	}
	closedir(all);
}

struct cgroups *
cgroups_open(struct err *e)
{
	struct cgroups *g = calloc(1, sizeof *g);

	if (g == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	g->dir = cgroup_place_enter(e);
	if (g->dir < 0) {
		free(g);
		return NULL;
	}
	remove_old(g->dir);
	g->memory = cgroup_place_enable(g->dir, "memory");
	g->pids = cgroup_place_enable(g->dir, "pids");
	g->cpu = cgroup_place_enable(g->dir, "cpu");
	return g;
}

void
cgroups_close(struct cgroups *g)
{
	if (g == NULL)
		return;
	close(g->dir);
	free(g);
}

static int
can(const struct cgroups *g, const struct cgroup_limits *limits,
    const char *where, struct err *e)
{
	const char *missing = NULL;

	if (limits->memory_max > 0 && !g->memory)
		missing = "memory";
	else if (limits->tasks_max > 0 && !g->pids)
		missing = "pids";
	else if ((limits->cpu_weight > 0 || limits->cpu_percent > 0) && !g->cpu)
		missing = "cpu";
	if (missing == NULL)
		return 0;
	return err_set(e, ENOTSUP, "the controller %s is not available in %s",
	    missing, where);
}

int
cgroups_can(
    const struct cgroups *g, const struct cgroup_limits *limits, struct err *e)
{
	return can(g, limits, "this supervisor's control group", e);
}

static int
write_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t n = write(fd, text, strlen(text));
	int r = n < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int __attribute__((format(printf, 3, 4)))
write_value(int dir, const char *name, const char *fmt, ...)
{
	char text[64];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return write_file(dir, name, text);
}

/* A host without swap accounting has no memory.swap.max. */
static int
limit(int dir, const struct cgroup_limits *l)
{
	int r = 0;

	if (l->memory_max > 0) {
		r = write_value(dir, "memory.max", "%" PRId64, l->memory_max);
		if (r == 0)
			r = write_value(dir, "memory.oom.group", "1");
		if (r == 0)
			r = write_value(dir, "memory.swap.max", "0");
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0 && l->tasks_max > 0)
		r = write_value(dir, "pids.max", "%" PRId64, l->tasks_max);
	if (r == 0 && l->cpu_weight > 0)
		r = write_value(dir, "cpu.weight", "%" PRId64, l->cpu_weight);
	if (r == 0 && l->cpu_percent > 0)
		r = write_value(dir, "cpu.max", "%" PRId64 " 100000",
		    l->cpu_percent * 1000);
	return r;
}

static void
forget(struct cgroup_leaf *l)
{
	if (l->entrance >= 0)
		close(l->entrance);
	if (l->dir >= 0)
		close(l->dir);
	free(l);
}

static struct cgroup_leaf *
new_leaf(int place, const char *name)
{
	size_t len = strlen(name);
	struct cgroup_leaf *l = calloc(1, sizeof *l + len + 1);

	if (l == NULL)
		return NULL;
	l->place = place;
	l->dir = l->entrance = -1;
	memcpy(l->name, name, len);
	return l;
}

static int
open_leaf(struct cgroup_leaf *l)
{
	l->dir = openat(
	    l->place, l->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return l->dir < 0 ? -errno : 0;
}

struct cgroup_leaf *
cgroup_make(
    struct cgroups *g, const char *id, const struct cgroup_limits *limits)
{
	char name[LEAF_NAME_MAX];
	int len = snprintf(name, sizeof name, CGROUP_LEAF "%s", id);

	if (len < 0 || (size_t)len >= sizeof name || strchr(id, '/') != NULL) {
		errno = EINVAL;
		return NULL;
	}
	struct cgroup_leaf *l = new_leaf(g->dir, name);
	if (l == NULL)
		return NULL;
	int r = mkdirat(g->dir, name, 0755) < 0 ? -errno : open_leaf(l);
	if (r == 0)
		r = limit(l->dir, limits);
	if (r == 0) {
		l->entrance =
		    openat(l->dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		r = l->entrance < 0 ? -errno : 0;
	}
	if (r == 0)
		return l;
	cgroup_free(l);
	errno = -r;
	return NULL;
}

/* Whether its last part is this name. */
static bool
is_called(const char *group, const char *name)
{
	return strcmp(strrchr(group, '/') + 1, name) == 0;
}

int
cgroup_adopt(pid_t pid, const char *unit, bool whole, struct cgroup_leaf **out)
{
	char group[PATH_MAX], path[PATH_MAX];

	*out = NULL;
	if (!cgroup_place_of(pid, group) || !is_called(group, unit))
		return -ESRCH;
	int r = cgroup_place_path(group, path, NULL);
	if (r < 0)
		return r;
	struct cgroup_leaf *l = new_leaf(NOWHERE, path);
	if (l == NULL)
		return -ENOMEM;
	r = open_leaf(l);
	if (r < 0) {
		forget(l);
		return r;
	}
	if (whole)
		(void)write_file(l->dir, "memory.oom.group", "1");
	*out = l;
	return 0;
}

void
cgroup_free(struct cgroup_leaf *l)
{
	if (l == NULL)
		return;
	if (l->place != NOWHERE)
		(void)unlinkat(l->place, l->name, AT_REMOVEDIR);
	forget(l);
}

int
cgroup_entrance(const struct cgroup_leaf *l)
{
	return l->entrance;
}

void
cgroup_entered(struct cgroup_leaf *l)
{
	if (l->entrance >= 0)
		close(l->entrance);
	l->entrance = -1;
}

int
cgroup_kill(const struct cgroup_leaf *l)
{
	return write_file(l->dir, "cgroup.kill", "1");
}

/* NUL-terminated; what does not fit is cut. */
static bool
read_file(int dir, const char *name, char text[FILE_MAX])
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, FILE_MAX - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	return true;
}

/* Whether word is among those of text. */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	while (*text != '\0') {
		size_t n = strcspn(text, " \n");

		if (n == len && memcmp(text, word, n) == 0)
			return true;
		text += n;
		text += strspn(text, " \n");
	}
	return false;
}

int
cgroups_host_can(const struct cgroup_limits *limits, struct err *e)
{
	char path[PATH_MAX], text[FILE_MAX] = "";
	struct cgroups all = { .dir = -1 };

	int r = cgroup_place_path("/", path, e);
	if (r < 0)
		return r;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		(void)read_file(dir, "cgroup.controllers", text);
		close(dir);
	}
	all.memory = has_word(text, "memory");
	all.pids = has_word(text, "pids");
	all.cpu = has_word(text, "cpu");
	return can(&all, limits, "this host's control groups of version 2", e);
}

/* The number behind "key " at the start of a line; -1: there is none. */
static int64_t
find_number(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line != NULL && *line != '\0';) {
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return strtoll(line + len + 1, NULL, 10);
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return -1;
}

bool
cgroup_is_populated(const struct cgroup_leaf *l)
{
	char text[FILE_MAX];

	return read_file(l->dir, "cgroup.events", text) &&
	    find_number(text, "populated") == 1;
}

int64_t
cgroup_oom_kills(const struct cgroup_leaf *l)
{
	char text[FILE_MAX];
	int64_t n = read_file(l->dir, "memory.events", text)
	    ? find_number(text, "oom_kill")
	    : 0;

	return n > 0 ? n : 0;
}

size_t
cgroup_processes(const struct cgroup_leaf *l, int *pids, size_t max)
{
	int fd = openat(l->dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	size_t n = 0;
	int pid;

	if (f == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (n < max && fscanf(f, "%d", &pid) == 1) {
		if (pids != NULL)
			pids[n] = pid;
		n++;
	}
	(void)fclose(f);
	return n;
}

void
cgroup_save(const struct cgroup_leaf *l, struct state_writer *w)
{
	state_put_text(w, l != NULL ? l->name : NULL);
}

struct cgroup_leaf *
cgroup_load(struct cgroups *g, struct state_reader *r)
{
	char *name = state_get_text(r);
	struct cgroup_leaf *l = NULL;

	if (name != NULL && name[0] == '/')
		l = new_leaf(NOWHERE, name);
	else if (name != NULL && g != NULL && strchr(name, '/') == NULL)
		l = new_leaf(g->dir, name);
	if (l != NULL && open_leaf(l) < 0) {
		forget(l);
		l = NULL;
	}
	free(name);
	return l;
}
