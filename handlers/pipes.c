/*
 * pipes - pipe2(2), with every descriptor above those of a program.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/pipes.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

const struct pipes pipes_none = { { -1, -1 }, { -1, -1 }, { -1, -1 },
	{ -1, -1 }, { -1, -1 } };

/* Moves a descriptor out of the way of a program's own. */
static int
lift(int *fd)
{
	if (*fd > PIPES_LAST)
		return 0;

	int higher = fcntl(*fd, F_DUPFD_CLOEXEC, PIPES_LAST + 1);
	if (higher < 0)
		return -1;
	close(*fd);
	*fd = higher;
	return 0;
}

int
pipes_open_one(int fds[2], int ours)
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	if (lift(&fds[PIPES_R]) < 0 || lift(&fds[PIPES_W]) < 0)
		return -1;
	return ours < 0 ? 0 : fcntl(fds[ours], F_SETFL, O_NONBLOCK);
}

int
pipes_open_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	return lift(&fds[PIPES_R]) < 0 ? -1 : lift(&fds[PIPES_W]);
}

static int
open_null(int fds[2])
{
	fds[PIPES_R] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fds[PIPES_R] < 0 ? -1 : lift(&fds[PIPES_R]);
}

void
pipes_close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
close_both(int fds[2])
{
	pipes_close_one(&fds[PIPES_R]);
	pipes_close_one(&fds[PIPES_W]);
}

/* One that is not whole is none. */
static int
make_one(int fds[2], int ours)
{
	if (fds[PIPES_R] >= 0)
		return 0;

	int r = pipes_open_one(fds, ours);
	if (r < 0)
		close_both(fds);
	return r;
}

int
pipes_make_ready(struct pipes *ready)
{
	if (make_one(ready->in, PIPES_W) < 0 ||
	    make_one(ready->out, PIPES_R) < 0 ||
	    make_one(ready->err, PIPES_R) < 0)
		return -1;
	return make_one(ready->control, PIPES_R);
}

static int
take_or_open(int fds[2], int *ready, int ours)
{
	if (ready == NULL || ready[PIPES_R] < 0)
		return pipes_open_one(fds, ours);
	fds[PIPES_R] = ready[PIPES_R];
	fds[PIPES_W] = ready[PIPES_W];
	ready[PIPES_R] = ready[PIPES_W] = -1;
	return 0;
}

int
pipes_open(struct pipes *p, bool feed, bool control, struct pipes *ready)
{
	struct pipes none = pipes_none;

	if (ready == NULL)
		ready = &none;
	*p = pipes_none;
	if ((feed ? take_or_open(p->in, ready->in, PIPES_W)
		  : open_null(p->in)) < 0 ||
	    take_or_open(p->out, ready->out, PIPES_R) < 0 ||
	    take_or_open(p->err, ready->err, PIPES_R) < 0)
		return -1;
	return control ? take_or_open(p->control, ready->control, PIPES_R) : 0;
}

void
pipes_close(struct pipes *p)
{
	close_both(p->in);
	close_both(p->out);
	close_both(p->err);
	close_both(p->control);
	close_both(p->report);
}
