/*
 * descent - the processes below a process, found and ended.
 *
 * A program that forks twice and starts a session of its own leaves its
 * process group, but not its ancestors: Linux lists the children of every
 * thread (/proc/PID/task/TID/children, proc(5)), and gives an orphan to the
 * nearest ancestor that called itself a subreaper (prctl(2)). A kernel without
 * CONFIG_PROC_CHILDREN lists none, and nothing is found.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_DESCENT_H
#define HANDLERS_DESCENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Of one search; what is above is found by the next. */
enum { DESCENT_MAX = 32768 };

/*
 * The children that the first thread of our own process has, with the dead
 * ones that nobody has reaped: a descriptor, close-on-exec, to be read again
 * and again. -1 with errno when it cannot be had.
 */
int descent_open(void);

/* Reads it; returns how many, at most max. */
size_t descent_read(int fd, pid_t *pids, size_t max);

/* The children of all threads of a process; returns how many, at most max. */
size_t descent_children(pid_t pid, pid_t *pids, size_t max);

/* Whether a process is there and no zombie. */
bool descent_is_alive(pid_t pid);

/*
 * Ends the n processes in roots and all below them by KILL. Each is stopped
 * before its children are looked for, so that none can fork faster than it is
 * found, and the search is repeated until it finds no more. Returns how many
 * there were, roots included. The numbers are followed by number alone: the
 * roots must be unreaped children of ours, or below such.
 */
size_t descent_end(const pid_t *roots, size_t n);

#endif
