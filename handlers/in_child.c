/*
 * in_child - what functions that run between clone and exec have in common.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/in_child.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
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

/* Those not at their defaults, bit 0 for signal 1; 0: to be looked for. */
static _Atomic uint64_t signals_noted;

#define NOTED (UINT64_C(1) << 63) /* signal 64, always among them */
_Static_assert(NSIG <= 65, "a bit for each signal");

/*
 * Not sigaction(3): the C library refuses two signals, and sanitizers keep a
 * table of dispositions that lies in the memory shared with the parent.
 */
void IN_CHILD
in_child_dispositions(void)
{
	static const unsigned long default_action[16];
	uint64_t noted = signals_noted;

	for (int sig = 1; noted != 0; sig++, noted >>= 1)
		if (noted & 1)
			syscall(SYS_rt_sigaction, sig, default_action, NULL,
			    NSIG / 8);
}

static uint64_t
find_signals(void)
{
	uint64_t found = NOTED;

	for (int sig = 1; sig < NSIG; sig++) {
		unsigned long action[16] = { (unsigned long)SIG_DFL };

		if (syscall(SYS_rt_sigaction, sig, NULL, action, NSIG / 8) <
			0 ||
		    action[0] != (unsigned long)SIG_DFL)
			found |= UINT64_C(1) << (sig - 1);
	}
	return found;
}

/* What another thread has found meanwhile is newer. */
static void
note_signals(void)
{
	uint64_t none = 0;

	if (signals_noted == none)
		(void)atomic_compare_exchange_strong(
		    &signals_noted, &none, find_signals());
}

void
in_child_signals_changed(void)
{
	signals_noted = find_signals();
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
clone_child(int (*fn)(void *), void *arg, int flags, int *pidfd)
{
	_Alignas(64) char stack[STACK_SIZE];

	return clone(fn, stack + sizeof stack, CLONE_PIDFD | SIGCHLD | flags,
	    arg, pidfd);
}

/*
 * The child is born with our signal handlers, and would run them in our
 * memory: nothing may be delivered before it has put the defaults back.
 */
static pid_t
clone_quietly(int (*fn)(void *), void *arg, int flags, int *pidfd)
{
	sigset_t all, before;

	note_signals();
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pid_t pid = clone_child(fn, arg, flags, pidfd);
	int errnum = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return pid;
}

pid_t
in_child_clone(int (*fn)(void *), void *arg, int more, int *pidfd)
{
	return clone_quietly(fn, arg, CLONE_VM | CLONE_VFORK | more, pidfd);
}

pid_t
in_child_fork(int (*fn)(void *), void *arg, int *pidfd)
{
	return clone_quietly(fn, arg, 0, pidfd);
}
