/*
 * in_child - what functions that run between clone and exec have in common.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/in_child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * ThreadSanitizer takes every clone(2) for a fork, and tells its books in our
 * memory that they are the child's. The other name of the call passes it by.
 */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
extern int clone_unseen(int (*fn)(void *), void *stack, int flags, void *arg,
    int *pidfd) __asm__("__clone");
#define clone clone_unseen
#endif

enum { STACK_SIZE = 32 * 1024 }; /* a few hundred bytes are needed */

/*
 * Not sigaction(3): the C library refuses two signals, and sanitizers keep a
 * table of dispositions that lies in the memory shared with the parent.
 */
void IN_CHILD
in_child_dispositions(void)
{
	static const unsigned long default_action[16];

	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, default_action, NULL, NSIG / 8);
}

void IN_CHILD
in_child_unblock(void)
{
	unsigned long none[16] = { 0 };

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, NSIG / 8);
}

/*
 * Closing, not marking: another program that is being started right now has
 * copies of its neighbours' pipe ends, and must not keep them from reaching
 * their end of file while it hangs in chdir or exec.
 */
void IN_CHILD
in_child_close_from(int first)
{
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;

	struct rlimit most;
	if (getrlimit(RLIMIT_NOFILE, &most) < 0)
		return;
	for (int fd = first; (rlim_t)fd < most.rlim_cur; fd++)
		syscall(SYS_close, fd);
}

/*
 * The child runs on a stretch of our own stack: we sleep until it has left
 * it. A stack that is mapped for each start would cost two system calls and,
 * with threads, an interruption of every other processor.
 */
static pid_t
clone_child(int (*fn)(void *), void *arg, int more, int *pidfd)
{
	_Alignas(64) char stack[STACK_SIZE];

	return clone(fn, stack + sizeof stack,
	    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | more, arg, pidfd);
}

/*
 * The child is born with our signal handlers, and would run them in our
 * memory: nothing may be delivered before it has put the defaults back.
 */
pid_t
in_child_clone(int (*fn)(void *), void *arg, int more, int *pidfd)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pid_t pid = clone_child(fn, arg, more, pidfd);
	int errnum = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return pid;
}
