/*
 * control_socket - bind(2) under another name, then link(2).
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/control_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 64, PLACE_TRIES = 3 };

/* A name of ours beside path: path, a dot, a pid, a letter. */
enum { BESIDE_MAX = CONTROL_SOCKET_MAX + 14 };

_Static_assert(BESIDE_MAX < sizeof((struct sockaddr_un){ 0 }.sun_path),
    "a name beside the longest one must fit");

static struct sockaddr_un
address_of(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	return sa;
}

static void
beside(char out[BESIDE_MAX + 1], const char *path, char letter)
{
	snprintf(out, BESIDE_MAX + 1, "%s.%d%c", path, (int)getpid(), letter);
}

/*
 * Whether somebody listens there: 1, 0, or -errno when that cannot be said.
 * A full queue of connections is a sign of life.
 */
static int
answers(const char *path)
{
	struct sockaddr_un sa = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int r =
	    connect(fd, (const struct sockaddr *)(const void *)&sa, sizeof sa);
	int failed = r < 0 ? errno : 0;
	close(fd);
	if (failed == 0 || failed == EAGAIN)
		return 1;
	return failed == ECONNREFUSED || failed == ENOENT ? 0 : -failed;
}

/* What is in the way at path: 0 nothing that lives, else -errno with *e. */
static int
look(const char *path, const char *said, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
		    ? 0
		    : err_set(e, errno, "%s: %s", said, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EEXIST,
		    "%s: there is something else of this name, and it is no "
		    "socket",
		    said);
	int r = answers(path);
	if (r > 0)
		return err_set(e, EADDRINUSE,
		    "%s: another supervisor answers there", said);
	if (r < 0)
		return err_set(e, -r,
		    "%s: cannot tell whether a supervisor answers there: %s",
		    said, strerror(-r));
	return 0;
}

/*
 * Takes a dead name away. Looked at once more under a name that nobody else
 * uses: a supervisor that began meanwhile gets its own back.
 */
static int
clear_name(const char *path, struct err *e)
{
	char aside[BESIDE_MAX + 1];
	int r = look(path, path, e);

	if (r < 0)
		return r;
	beside(aside, path, 'o');
	if (rename(path, aside) < 0)
		return errno == ENOENT
		    ? 0
		    : err_set(e, errno, "%s: %s", path, strerror(errno));
	r = look(aside, path, e);
	if (r < 0)
		(void)!link(aside, path);
	(void)unlink(aside);
	return r;
}

/* Gives the socket its name. */
static int
place(const char *made, const char *path, struct err *e)
{
	for (int i = 0; i < PLACE_TRIES; i++) {
		if (link(made, path) == 0)
			return 0;
		if (errno != EEXIST)
			return err_set(
			    e, errno, "%s: %s", path, strerror(errno));
		int r = clear_name(path, e);
		if (r < 0)
			return r;
	}
	return err_set(
	    e, EADDRINUSE, "%s: other supervisors begin there", path);
}

/* Under the name `made`: bound, with mode and group, listening. */
static int
make(struct control_socket *s, const char *made, struct err *e)
{
	struct sockaddr_un sa = address_of(made);
	struct stat st;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)unlink(made);
	if (s->fd < 0 ||
	    bind(s->fd, (const struct sockaddr *)(const void *)&sa, sizeof sa) <
		0)
		return err_set(e, errno, "%s: %s", s->path, strerror(errno));
	if (s->rule.has_group && chown(made, (uid_t)-1, s->rule.group) < 0)
		return err_set(e, errno,
		    "%s cannot be given to the group of control.group: %s; "
		    "the supervisor's user must be in it",
		    s->path, strerror(errno));
	if (chmod(made, s->rule.has_group ? 0660 : 0600) < 0 ||
	    listen(s->fd, BACKLOG) < 0 || lstat(made, &st) < 0)
		return err_set(e, errno, "%s: %s", s->path, strerror(errno));
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

int
control_socket_open(struct control_socket *s, const char *path,
    const char *group, struct err *e)
{
	char made[BESIDE_MAX + 1];

	*s = (struct control_socket){ .fd = -1, .rule = { .own = geteuid() } };
	snprintf(s->path, sizeof s->path, "%s", path);
	if (group != NULL) {
		int r = control_settings_group(group, &s->rule.group);

		if (r < 0)
			return err_set(e, -r, "control.group: %s: %s", group,
			    r == -ENOENT ? "there is no such group"
					 : strerror(-r));
		s->rule.has_group = true;
	}
	beside(made, path, 'n');
	int r = make(s, made, e);
	if (r == 0)
		r = place(made, path, e);
	(void)unlink(made);
	if (r < 0 && s->fd >= 0)
		close(s->fd);
	if (r < 0)
		s->fd = -1;
	return r;
}

bool
control_socket_fits(
    const struct control_socket *s, const char *path, const char *group)
{
	gid_t gid = 0;

	if (s->fd < 0 || path == NULL || strcmp(s->path, path) != 0 ||
	    s->rule.has_group != (group != NULL))
		return false;
	return group == NULL ||
	    (control_settings_group(group, &gid) == 0 && gid == s->rule.group);
}

void
control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (s->fd < 0)
		return;
	while (s->nguests > 0)
		close(s->guests[--s->nguests]);
	if (lstat(s->path, &st) == 0 && st.st_dev == s->dev &&
	    st.st_ino == s->ino)
		(void)unlink(s->path);
	close(s->fd);
	s->fd = -1;
}

void
control_socket_save(const struct control_socket *s, struct state_writer *w)
{
	state_put_fd(w, s->fd);
	state_put_text(w, s->path);
	state_put_int(w, (int64_t)s->dev);
	state_put_int(w, (int64_t)s->ino);
	state_put_int(w, s->rule.has_group);
	state_put_int(w, s->rule.group);
	state_put_int(w, (int64_t)s->nguests);
	for (size_t i = 0; i < s->nguests; i++)
		state_put_fd(w, s->guests[i]);
}

void
control_socket_load(struct control_socket *s, struct state_reader *r)
{
	*s = (struct control_socket){ .fd = -1, .rule = { .own = geteuid() } };
	s->fd = state_get_fd(r);
	char *path = state_get_text(r);
	snprintf(s->path, sizeof s->path, "%s", path != NULL ? path : "");
	free(path);
	s->dev = (dev_t)state_get_int(r);
	s->ino = (ino_t)state_get_int(r);
	s->rule.has_group = state_get_within(r, 0, 1) != 0;
	s->rule.group = (gid_t)state_get_within(r, 0, UINT32_MAX);
	size_t n = (size_t)state_get_within(r, 0, CONTROL_GUESTS_MAX);
	for (size_t i = 0; i < n && !r->failed; i++) {
		s->guests[s->nguests] = state_get_fd(r);
		s->nguests += s->guests[s->nguests] >= 0;
	}
}
