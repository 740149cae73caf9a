/*
 * descent - the processes below a process, found and ended.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/descent.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A search that finds as many as the one before has found them all. */
enum { SEARCHES_MAX = 8 };

struct found {
	pid_t *pids;
	size_t n, max;
};

static void
add(struct found *f, pid_t pid)
{
	if (f->n < f->max)
		f->pids[f->n++] = pid;
}

/* Numbers with a space behind each; the file is made as it is read. */
static void
add_listed(struct found *f, int fd)
{
	char buf[4096];
	pid_t pid = 0;
	ssize_t n;

	for (off_t at = 0; (n = pread(fd, buf, sizeof buf, at)) > 0; at += n)
		for (ssize_t i = 0; i < n; i++) {
			if (isdigit((unsigned char)buf[i])) {
				pid = pid * 10 + (buf[i] - '0');
			} else if (pid > 0) {
				add(f, pid);
				pid = 0;
			}
		}
}

static int
open_children(pid_t process, const char *thread)
{
	char path[64];

	if (snprintf(path, sizeof path, "/proc/%d/task/%s/children",
		(int)process, thread) >= (int)sizeof path)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void
add_children_of_thread(struct found *f, pid_t process, const char *thread)
{
	int fd = open_children(process, thread);

	if (fd < 0)
		return;
	add_listed(f, fd);
	close(fd);
}

static void
add_children(struct found *f, pid_t process)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", (int)process);
	DIR *threads = opendir(path);
	if (threads == NULL)
		return;
	for (const struct dirent *t; (t = readdir(threads)) != NULL;)
		if (t->d_name[0] != '.')
			add_children_of_thread(f, process, t->d_name);
	closedir(threads);
}

int
descent_open(void)
{
	char self[16];

	snprintf(self, sizeof self, "%d", (int)getpid());
	return open_children(getpid(), self);
}

size_t
descent_read(int fd, pid_t *pids, size_t max)
{
	struct found f = { .max = max };

	f.pids = pids;
	if (fd >= 0)
		add_listed(&f, fd);
	return f.n;
}

size_t
descent_children(pid_t pid, pid_t *pids, size_t max)
{
	struct found f = { .max = max };

	f.pids = pids;
	add_children(&f, pid);
	return f.n;
}

/* The state stands behind the name, which may hold anything. */
bool
descent_is_alive(pid_t pid)
{
	char path[64], stat[512];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, stat, sizeof stat - 1);
	close(fd);
	if (n <= 0)
		return false;
	stat[n] = '\0';
	const char *name_end = strrchr(stat, ')');
	return name_end != NULL && name_end[1] == ' ' && name_end[2] != 'Z' &&
	    name_end[2] != 'X';
}

static void
search(struct found *f, const pid_t *roots, size_t n)
{
	f->n = 0;
	for (size_t i = 0; i < n; i++)
		add(f, roots[i]);
	for (size_t i = 0; i < f->n; i++) {
		kill(f->pids[i], SIGSTOP);
		add_children(f, f->pids[i]);
	}
}

size_t
descent_end(const pid_t *roots, size_t n)
{
	struct found f = { malloc(DESCENT_MAX * sizeof *f.pids), 0,
		DESCENT_MAX };
	size_t before = 0;

	if (f.pids == NULL) { /* the roots at least */
		for (size_t i = 0; i < n; i++)
			kill(roots[i], SIGKILL);
		return n;
	}
	for (int i = 0; i < SEARCHES_MAX; i++) {
		search(&f, roots, n);
		if (f.n == before)
			break;
		before = f.n;
	}
	for (size_t i = 0; i < f.n; i++)
		kill(f.pids[i], SIGKILL);
	free(f.pids);
	return f.n;
}
