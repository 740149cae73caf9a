/*
 * pidspace - a process namespace of its own for a program, and its init.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/pidspace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers/descent.h"
#include "handlers/in_child.h"

/* Of this thread: in which namespace its next child is born. */
static const char ours[] = "/proc/thread-self/ns/pid_for_children";

enum { LIFE_FD = 3 }; /* in the child */

const struct pidspace pidspace_none = { 0, -1, -1 };

struct birth {
	const char *program;
	bool spared;
	int life;   /* the end that it reads */
	int errnum; /* written by the child, which shares our memory */
};

/*
 * Its children are reaped by the kernel, since SIGCHLD is ignored. All other
 * signals but KILL and STOP of its parent do nothing to a first process.
 */
static void IN_CHILD
ignore_children(void)
{
	unsigned long ignore[16] = { (unsigned long)SIG_IGN };

	syscall(SYS_rt_sigaction, SIGCHLD, ignore, NULL, NSIG / 8);
}

/* Whoever may not do this has no group that is killed whole, either. */
static void IN_CHILD
spare_ourselves(void)
{
	long fd =
	    syscall(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0)
		return;
	(void)syscall(SYS_write, fd, "-1000", 5);
	(void)syscall(SYS_close, fd);
}

static int IN_CHILD
become_init(void *arg)
{
	static char name[] = PIDSPACE_INIT;
	char *const argv[] = { name, NULL }, *const env[] = { NULL };
	struct birth *b = arg;

	if (syscall(SYS_dup3, b->life, LIFE_FD, 0) < 0)
		goto fail;
	in_child_close_from(LIFE_FD + 1);
	for (int fd = 0; fd < LIFE_FD; fd++) {
		(void)syscall(SYS_close, fd);
		if (syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR) != fd)
			goto fail;
	}
	in_child_dispositions();
	ignore_children();
	if (b->spared)
		spare_ourselves();
	if (setsid() < 0 || chdir("/") < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		goto fail;
	in_child_unblock();
	execve(b->program, argv, env);
fail:
	b->errnum = errno;
	return 127;
}

static void
reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Above what the child puts in its place. */
static int
open_life(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	while (fds[0] <= LIFE_FD) {
		int higher = fcntl(fds[0], F_DUPFD_CLOEXEC, LIFE_FD + 1);

		if (higher < 0) {
			close(fds[0]);
			close(fds[1]);
			return -1;
		}
		close(fds[0]);
		fds[0] = higher;
	}
	return 0;
}

int
pidspace_make(struct pidspace *p, const char *program, bool spared)
{
	struct birth b = { .program = program, .spared = spared };
	int life[2];

	*p = pidspace_none;
	if (open_life(life) < 0)
		return -1;
	b.life = life[0];
	pid_t pid = in_child_clone(become_init, &b, CLONE_NEWPID, &p->fd);
	int errnum = pid < 0 ? errno : b.errnum;
	close(life[0]);
	if (errnum == 0) {
		p->init = pid;
		p->life = life[1];
		return 0;
	}
	close(life[1]);
	if (pid > 0) {
		reap(pid);
		close(p->fd);
	}
	*p = pidspace_none;
	errno = errnum;
	return -1;
}

int
pidspace_enter(const struct pidspace *p)
{
	char path[64];
	int back = open(ours, O_RDONLY | O_CLOEXEC);

	if (back < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)p->init);
	int there = open(path, O_RDONLY | O_CLOEXEC);
	int r = there < 0 ? -1 : setns(there, CLONE_NEWPID);
	int errnum = errno;
	if (there >= 0)
		close(there);
	if (r == 0)
		return back;
	close(back);
	errno = errnum;
	return -1;
}

/*
 * A thread that cannot leave would start others' programs there. The kernel
 * refuses nobody who could enter.
 */
void
pidspace_leave(int back)
{
	if (setns(back, CLONE_NEWPID) < 0)
		abort();
	close(back);
}

void
pidspace_kill(const struct pidspace *p)
{
	if (p->init != 0)
		(void)syscall(SYS_pidfd_send_signal, p->fd, SIGKILL, NULL, 0);
}

size_t
pidspace_left(const struct pidspace *p, pid_t *pids, size_t max)
{
	size_t n = 0;

	if (p->init == 0)
		return 0;
	size_t all = descent_children(p->init, pids, max);
	for (size_t i = 0; i < all; i++)
		if (descent_is_alive(pids[i]))
			pids[n++] = pids[i];
	return n;
}

bool
pidspace_is_over(const struct pidspace *p)
{
	siginfo_t info = { 0 };
	int r;

	do
		r = waitid(P_PIDFD, (id_t)p->fd, &info, WEXITED | WNOHANG);
	while (r < 0 && errno == EINTR);
	return r < 0 || info.si_pid != 0;
}

void
pidspace_end(struct pidspace *p)
{
	if (p->init == 0)
		return;
	pidspace_kill(p);
	reap(p->init);
	pidspace_clear(p);
}

void
pidspace_clear(struct pidspace *p)
{
	if (p->init != 0) {
		close(p->fd);
		close(p->life);
	}
	*p = pidspace_none;
}

void
pidspace_save(const struct pidspace *p, struct state_writer *w)
{
	state_put_int(w, p->init);
	state_put_fd(w, p->init != 0 ? p->fd : -1);
	state_put_fd(w, p->init != 0 ? p->life : -1);
}

void
pidspace_load(struct pidspace *p, struct state_reader *r)
{
	p->init = (pid_t)state_get_within(r, 0, INT32_MAX);
	p->fd = state_get_fd(r);
	p->life = state_get_fd(r);
	if (p->init != 0 && (p->fd < 0 || p->life < 0))
		r->failed = true;
	if (r->failed)
		p->init = 0;
}

int
pidspace_keep(void)
{
	char byte;
	ssize_t n;

	do
		n = read(LIFE_FD, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	return EXIT_SUCCESS;
}
