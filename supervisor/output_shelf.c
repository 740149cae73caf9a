/*
 * output_shelf - the files of one jobtype in a directory, and which may stay.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output_shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervisor/output_name.h"

/* More are seen by a later sweep. */
enum { SEEN_MAX = 100000 };

struct seen {
	char *name; /* owned */
	int64_t changed;
	int64_t bytes;
};

struct list {
	struct seen *at;
	size_t count, room;
};

int
output_shelf_open(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	int e = fstat(fd, &st) < 0 ? errno : 0;
	if (e == 0 &&
	    ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
		(st.st_uid != 0 && st.st_uid != geteuid())))
		e = EPERM;
	if (e == 0)
		return fd;
	close(fd);
	return -e;
}

static int
add(struct list *l, const char *name, const struct stat *st)
{
	if (l->count == l->room) {
		size_t room = l->room > 0 ? 2 * l->room : 64;
		struct seen *at = reallocarray(l->at, room, sizeof *at);

		if (at == NULL)
			return -ENOMEM;
		l->at = at;
		l->room = room;
	}
	char *copy = strdup(name);
	if (copy == NULL)
		return -ENOMEM;
	l->at[l->count++] = (struct seen){ .name = copy,
		.changed =
		    st->st_mtim.tv_sec * CLOCK_NS_PER_S + st->st_mtim.tv_nsec,
		.bytes = st->st_size };
	return 0;
}

static int
look(DIR *dir, const char *prefix, struct list *l)
{
	struct dirent *entry;
	struct stat st;
	int r = 0;

	while (r == 0 && l->count < SEEN_MAX &&
	    (errno = 0, entry = readdir(dir)) != NULL)
		if (output_name_is(entry->d_name, prefix) &&
		    fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			r = add(l, entry->d_name, &st);
	return r;
}

static int
by_age(const void *a, const void *b)
{
	const struct seen *one = a, *other = b;

	if (one->changed != other->changed)
		return one->changed < other->changed ? -1 : 1;
	return strcmp(one->name, other->name);
}

/* As much as may stay: all of it, or less than the limit. */
static int64_t
target(int64_t now, int64_t limit)
{
	return limit == 0 || now <= limit ? now : limit - limit / 10;
}

static void
remove_surplus(
    struct output_shelf *s, int dir, const struct list *l, int64_t now)
{
	int64_t files = target(s->files, s->limits.max_files);
	int64_t bytes = target(s->bytes, s->limits.max_total);

	for (size_t i = 0; i < l->count; i++) {
		const struct seen *f = &l->at[i];
		bool old =
		    s->limits.keep > 0 && f->changed < now - s->limits.keep;

		if (!old && s->files <= files && s->bytes <= bytes)
			break; /* the others are younger */
		if (s->in_use(s->ctx, f->name) || unlinkat(dir, f->name, 0) < 0)
			continue;
		s->files--;
		s->bytes -= f->bytes;
	}
}

int
output_shelf_sweep(struct output_shelf *s, int64_t now, int64_t coming)
{
	struct list l = { 0 };
	int fd = output_shelf_open(s->dir);

	if (fd < 0)
		return fd;
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		int e = errno;

		close(fd);
		return -e;
	}
	int r = look(dir, s->prefix, &l);
	if (r == 0) {
		if (l.count > 0)
			qsort(l.at, l.count, sizeof *l.at, by_age);
		s->files = (int64_t)l.count + coming;
		s->bytes = 0;
		for (size_t i = 0; i < l.count; i++)
			s->bytes += l.at[i].bytes;
		remove_surplus(s, fd, &l, now);
	}
	for (size_t i = 0; i < l.count; i++)
		free(l.at[i].name);
	free(l.at);
	closedir(dir);
	return r;
}
