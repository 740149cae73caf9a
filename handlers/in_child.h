/*
 * in_child - what functions that run between clone and exec have in common.
 *
 * They run in memory that they share with the parent (see handlers/spawn):
 * they make raw system calls, allocate nothing, and must leave no trace in a
 * sanitizer's books, which the child never returns to balance.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_IN_CHILD_H
#define HANDLERS_IN_CHILD_H

#include <sys/types.h>

#define IN_CHILD                                                               \
	__attribute__((no_sanitize("address"), no_sanitize("thread"),          \
	    no_sanitize("undefined")))

/*
 * A child that shares our memory until exec and runs fn(arg) on a stretch of
 * our stack; its exit status is what fn returns. The calling thread sleeps
 * until then. more are further flags of clone(2). Returns its number, with a
 * pidfd in *pidfd, or -1 with errno. No signal reaches the child before it
 * has called in_child_dispositions() and set its mask.
 */
pid_t in_child_clone(int (*fn)(void *), void *arg, int more, int *pidfd);

/*
 * The same for a child with a copy of our memory, which may wait for us: we go
 * on at once.
 */
pid_t in_child_fork(int (*fn)(void *), void *arg, int *pidfd);

/*
 * Every signal gets its default back: of those that had another disposition
 * when it was last looked, before the first child of all or by
 * in_child_signals_changed().
 */
void in_child_dispositions(void);

/*
 * In the parent, after a signal got another disposition than its default; who
 * sets one and starts programs later calls this in between.
 */
void in_child_signals_changed(void);

/* An empty signal mask. */
void in_child_unblock(void);

/* Closes first and all above it. */
void in_child_close_from(int first);

#endif
