/*
 * orphans - processes that lost their parent and were given to us.
 *
 * The supervisor is a subreaper: what a program leaves behind becomes our
 * child, and would stay a zombie. Programs of our own are reaped by their
 * runs, through pidfds, and their status must not be taken here.
 * SIGCHLD stays at its default: it would interrupt the loop for each program
 * that ends, and orphans come to be only when one has ended.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_ORPHANS_H
#define SUPERVISOR_ORPHANS_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

struct orphans;

/* Whether a child of the first thread is a program of ours after all. */
typedef bool orphans_ours(void *ctx, pid_t pid);

/*
 * Reaps orphans in a process that is a subreaper (handlers/kin). To be called
 * in the process's first thread, with a loop that is not libev's default one,
 * which reaps every child itself. Returns NULL when memory is short.
 */
struct orphans *
orphans_new(struct ev_loop *loop, orphans_ours *ours, void *ctx);

/* Accepts NULL. */
void orphans_free(struct orphans *o);

/*
 * To be called when a program of ours has been reaped. While there are
 * orphans it is looked again, at first soon, at last once a second.
 */
void orphans_look(struct orphans *o);

#endif
