/*
 * pidspace - a process namespace of its own for a program, and its init.
 *
 * What runs in the namespace sees no other process, and the kernel ends all
 * of it when the namespace's first process ends, however it forked
 * (pid_namespaces(7)). The program itself is not that first process, which
 * would make it deaf to every signal that it does not handle, and the parent
 * of all that breaks away below it: the first is an init of ours, that does
 * nothing but wait. The program is a child of ours all the same, so its exit
 * status is had from where it always is. Needs CAP_SYS_ADMIN.
 *
 * As long as a child of ours in the namespace has not been reaped, the init
 * does not end: reap the program first.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_PIDSPACE_H
#define HANDLERS_PIDSPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/state.h"

/* What the init is called, for pidspace_keep(). */
#define PIDSPACE_INIT "faktotum-init"

/* Zeroed: none. */
struct pidspace {
	pid_t init; /* as we see it; 0: none */
	int fd;     /* its pidfd, close-on-exec; readable once it has ended */
	int life;   /* likewise; it ends when nobody holds this any more */
};

extern const struct pidspace pidspace_none;

/*
 * Starts an init: program, absolute, with PIDSPACE_INIT as its only word. It
 * must call pidspace_keep(). It ends when this process has, however that
 * ends, and its successor by exec has not got p either. With spared the kernel
 * leaves it alone when the rest of its control group is killed for its memory
 * (memory.oom.group), so that the group is still there to tell of it. Returns
 * 0, or -1 with errno. May be called from several threads at once.
 */
int pidspace_make(struct pidspace *p, const char *program, bool spared);

/*
 * What this thread clones from now on is born there, until pidspace_leave();
 * it must start no threads meanwhile. Returns a descriptor for
 * pidspace_leave(), or -1 with errno. Leaving cannot fail but for a bug.
 */
int pidspace_enter(const struct pidspace *p);
void pidspace_leave(int back);

/* KILL to the init, and so to all in it. Does nothing where there is none. */
void pidspace_kill(const struct pidspace *p);

/*
 * What is alive in it beside init and leader, as far as it has lost its
 * parent: at most max in pids. Returns how many, once the leader has ended.
 */
size_t pidspace_left(const struct pidspace *p, pid_t *pids, size_t max);

/* Whether the init has ended, and with it all; reaps it then. */
bool pidspace_is_over(const struct pidspace *p);

/* Kills and waits: with nothing else unreaped in it. */
void pidspace_end(struct pidspace *p);

/* Closes the descriptors. An init that nobody else holds ends. */
void pidspace_clear(struct pidspace *p);

void pidspace_save(const struct pidspace *p, struct state_writer *w);
void pidspace_load(struct pidspace *p, struct state_reader *r);

/* In the init: waits until nobody holds it. */
int pidspace_keep(void);

#endif
