/*
 * spawn - start a program with its pipes, or say exactly why not.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "handlers/cgroup.h"
#include "handlers/in_child.h"
#include "handlers/pipes.h"
#include "handlers/scope.h"

enum {
	CONTROL_FD = PIPES_LAST, /* in the child, as the next */
	REPORT_FD = 4,           /* closed by exec */
	TRIES = 6,
};

#define FIRST_NAP 3000000L /* ns, doubled after every try: 93 ms in all */

struct birth {
	const struct spawn_request *req;
	const struct pipes *pipes;
	pid_t parent;
	/* Written by the child. */
	bool shared; /* as seen by the parent: the memory is one */
	bool failed;
	struct spawn_failure why;
};

/*
 * Whether a child of ours has been seen to share our memory. It does not where
 * clone(2) is emulated by a fork, as by valgrind.
 */
static atomic_bool memory_is_shared;

/* In the child: raw system calls only, down to become(). */

/* Sources are above CONTROL_FD: no dup3 hits one that is still needed. */
static int IN_CHILD
take_stdio(const struct pipes *p, int *report)
{
	if (syscall(SYS_dup3, p->in[PIPES_R], STDIN_FILENO, 0) < 0 ||
	    syscall(SYS_dup3, p->out[PIPES_W], STDOUT_FILENO, 0) < 0 ||
	    syscall(SYS_dup3, p->err[PIPES_W], STDERR_FILENO, 0) < 0)
		return -1;
	if (p->control[PIPES_W] >= 0) {
		if (syscall(SYS_dup3, p->control[PIPES_W], CONTROL_FD, 0) < 0)
			return -1;
	} else {
		(void)syscall(SYS_close, CONTROL_FD);
	}
	if (*report < 0) {
		in_child_close_from(REPORT_FD);
		return 0;
	}
	if (*report != REPORT_FD &&
	    syscall(SYS_dup3, *report, REPORT_FD, O_CLOEXEC) < 0)
		return -1;
	*report = REPORT_FD;
	in_child_close_from(REPORT_FD + 1);
	return 0;
}

/*
 * Whether nobody is left who reads the report. In a process namespace of its
 * own a program's parent has no number.
 */
static bool IN_CHILD
is_unheard(int report)
{
	struct pollfd p = { .fd = report };
	struct timespec now = { 0, 0 };

	return syscall(SYS_ppoll, &p, 1, &now, NULL, 0) > 0;
}

/*
 * A parent that was gone before the first call will send no signal; a change
 * of the user takes the signal back, so this comes after it.
 */
static int IN_CHILD
limit(pid_t parent, const struct spawn_request *req, int report)
{
	bool gain = req->confine != NULL && req->confine->may_gain_privileges;
	bool outlive = req->outlive;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
	    (!gain && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) ||
	    (!outlive && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0))
		return -1;
	if (outlive ||
	    (req->init != NULL ? !is_unheard(report) : getppid() == parent))
		return 0;
	errno = EOWNERDEAD;
	return -1;
}

/* Privileges go last. Returns the stage that failed, with errno. */
static enum spawn_stage IN_CHILD
confine(const struct confine *c)
{
	if (sandbox_enter(&c->sandbox) < 0)
		return SPAWN_SANDBOX;
	if (confine_limits(c) < 0)
		return SPAWN_CONFINE;
	if (confine_identity(c) < 0)
		return SPAWN_IDENTITY;
	return SPAWN_EXEC;
}

/* Whether our parent has put us where we belong; it is gone without a byte. */
static bool IN_CHILD
is_released(int report)
{
	char go;
	long n;

	do
		n = syscall(SYS_read, report, &go, sizeof go);
	while (n < 0 && errno == EINTR);
	errno = ECANCELED;
	return n > 0;
}

/* Returns the stage that failed, with errno. */
static enum spawn_stage IN_CHILD
prepare_and_exec(const struct birth *b, int *report)
{
	/*
	 * Descriptors first: a pipe that the loop closes while we have a copy
	 * of it stays in its epoll set, and costs it a new one.
	 */
	if (b->req->cgroup > 0 &&
	    syscall(SYS_write, b->req->cgroup, "0", 1) != 1)
		return SPAWN_CGROUP;
	if (take_stdio(b->pipes, report) < 0)
		return SPAWN_STDIO;
	in_child_dispositions();
	if (setsid() < 0)
		return SPAWN_SESSION;
	if (b->req->scope != NULL && !is_released(*report))
		return SPAWN_SCOPE;
	if (b->req->confine != NULL) {
		enum spawn_stage failed = confine(b->req->confine);

		if (failed != SPAWN_EXEC)
			return failed;
	}
	if (limit(b->parent, b->req, *report) < 0)
		return SPAWN_LIMITS;
	umask(b->req->mask);
	if (chdir(b->req->workdir) < 0)
		return SPAWN_WORKDIR;

	in_child_unblock();
	execve(b->req->path, b->req->argv, b->req->env);
	return SPAWN_EXEC;
}

static int IN_CHILD
become(void *arg)
{
	struct birth *b = arg;
	int report = b->pipes->report[PIPES_W];

	b->shared = true;
	enum spawn_stage stage = prepare_and_exec(b, &report);
	b->why = (struct spawn_failure){ stage, errno };
	b->failed = true;
	if (report >= 0)
		(void)syscall(SYS_write, report, &b->why, sizeof b->why);
	return 127; /* clone(2) ends the process with it */
}

/* In the parent, from here on. */

/*
 * The report is one struct spawn_failure, or nothing before exec; there is no
 * pipe for it once it is known that the child can tell by its memory. With a
 * scope it is a pair of sockets, and the child waits for a byte.
 */
static int
open_all(struct pipes *p, const struct spawn_request *req, struct pipes *ready)
{
	if (pipes_open(p, req->feed, req->control, ready) < 0)
		return -1;
	if (req->scope != NULL)
		return pipes_open_pair(p->report);
	/* With an init it is also the sign that we are there. */
	return memory_is_shared && req->init == NULL
	    ? 0
	    : pipes_open_one(p->report, -1);
}

/* In a namespace of its own with space; its number as we see it. */
static pid_t
clone_into(struct birth *b, const struct pidspace *space, int *pidfd)
{
	int back = space->init != 0 ? pidspace_enter(space) : -1;

	if (space->init != 0 && back < 0)
		return -1;
	pid_t pid = b->req->scope != NULL ? in_child_fork(become, b, pidfd)
					  : in_child_clone(become, b, 0, pidfd);
	int errnum = errno;
	if (back >= 0)
		pidspace_leave(back);
	errno = errnum;
	return pid;
}

/*
 * True when the child reported a failure. An end of file means that it runs,
 * and so does our memory, where it is the child's too: we have slept until the
 * child was through with it.
 */
static bool
has_failed(const struct birth *b, struct pipes *p, struct spawn_failure *why)
{
	ssize_t n;

	pipes_close_one(&p->report[PIPES_W]);
	if (b->shared) {
		memory_is_shared = true;
		*why = b->failed ? b->why : *why;
		return b->failed;
	}
	do
		n = read(p->report[PIPES_R], why, sizeof *why);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *why;
}

static void
reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/*
 * Gets the unit for a child that waits, looks whether both are in it, and lets
 * the child go. -1 with *why and req->scope_why filled.
 */
static int
enter_scope(const struct spawn_request *req, const struct pidspace *space,
    pid_t pid, struct spawn_child *child, int report, struct spawn_failure *why)
{
	const struct scope_request *scope = req->scope;
	struct err *e = req->scope_why;
	bool whole = scope->limits.memory_max > 0;
	int r = scope_make(scope, space->init, pid, e);

	for (int i = 0; r == 0 && i < 2; i++) {
		cgroup_free(child->leaf);
		r = cgroup_adopt(i == 0 ? pid : space->init, scope->unit, whole,
		    &child->leaf);
		if (r < 0)
			err_set(
			    e, -r, "%s: it was not moved there", scope->unit);
	}
	if (r == 0 && send(report, "", 1, MSG_NOSIGNAL) != 1)
		r = err_set(e, errno, "%s: the program does not wait for it",
		    scope->unit);
	*why = (struct spawn_failure){ SPAWN_SCOPE, -r };
	return r < 0 ? -1 : 0;
}

/* One try. As spawn(). */
static int
start(const struct spawn_request *req, struct pipes *ready,
    struct spawn_child *child, struct spawn_failure *why)
{
	struct pipes p;
	struct spawn_failure at = { SPAWN_PIPES, 0 };
	struct birth b = { .req = req, .pipes = &p, .parent = getpid() };
	struct pidspace space = pidspace_none;
	int pidfd = -1;

	child->leaf = NULL;
	if (open_all(&p, req, ready) < 0)
		goto fail_errno;
	at.stage = SPAWN_NAMESPACE;
	if (req->init != NULL &&
	    pidspace_make(&space, req->init, req->scope != NULL) < 0)
		goto fail_errno;
	at.stage = SPAWN_CLONE;
	pid_t pid = clone_into(&b, &space, &pidfd);
	if (pid < 0)
		goto fail_errno;

	if (req->scope != NULL &&
	    enter_scope(req, &space, pid, child, p.report[PIPES_R], &at) < 0) {
		kill(pid, SIGKILL);
		goto fail_child;
	}
	if (has_failed(&b, &p, &at))
		goto fail_child;
	*child =
	    (struct spawn_child){ pid, pidfd, p.in[PIPES_W], p.out[PIPES_R],
		    p.err[PIPES_R], p.control[PIPES_R], space, child->leaf };
	pipes_close_one(&p.in[PIPES_R]);
	pipes_close_one(&p.out[PIPES_W]);
	pipes_close_one(&p.err[PIPES_W]);
	pipes_close_one(&p.control[PIPES_W]);
	pipes_close_one(&p.report[PIPES_R]);
	return 0;

fail_child:
	reap(pid);
	pipes_close_one(&pidfd);
	goto fail;
fail_errno:
	at.errnum = errno;
fail:
	pidspace_end(&space);
	cgroup_free(child->leaf);
	pipes_close(&p);
	*why = at;
	return -1;
}

static bool
may_pass(const struct spawn_failure *why)
{
	return (why->stage == SPAWN_CLONE && why->errnum == EAGAIN) ||
	    (why->stage == SPAWN_EXEC && why->errnum == ETXTBSY);
}

int
spawn_by(const struct spawn_request *req, struct pipes *ready,
    struct spawn_child *child, struct spawn_failure *why)
{
	struct timespec nap = { 0, FIRST_NAP };

	for (int tries = 1;; tries++) {
		if (start(req, ready, child, why) == 0)
			return 0;
		if (tries == TRIES || !may_pass(why))
			return -1;
		nanosleep(&nap, NULL);
		nap.tv_nsec *= 2;
	}
}

int
spawn(const struct spawn_request *req, struct spawn_child *child,
    struct spawn_failure *why)
{
	return spawn_by(req, NULL, child, why);
}

const char *
spawn_stage_name(enum spawn_stage stage)
{
	static const char *const names[] = {
		[SPAWN_PIPES] = "pipes",
		[SPAWN_NAMESPACE] = "process namespace",
		[SPAWN_CLONE] = "clone",
		[SPAWN_CGROUP] = "control group",
		[SPAWN_SESSION] = "session",
		[SPAWN_SCOPE] = "transient unit",
		[SPAWN_STDIO] = "stdio",
		[SPAWN_CONFINE] = "resource limits",
		[SPAWN_SANDBOX] = "sandbox",
		[SPAWN_IDENTITY] = "user",
		[SPAWN_WORKDIR] = "workdir",
		[SPAWN_LIMITS] = "limits",
		[SPAWN_EXEC] = "exec",
	};

	return names[stage];
}
