/*
 * orphans - the children of the first thread alone.
 *
 * Linux remembers which thread a child belongs to. Our programs are children
 * of the spawner's threads; orphans are given to the first thread of the
 * subreaper. So waiting for the children of this thread only (__WNOTHREAD)
 * can never take the status of a program of ours. Only after an upgrade in
 * place are the programs from before it children of the first thread too.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/orphans.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

/* When a program of ours stands in the way: its run reaps it soon. */
static const double again = 1.;

struct orphans {
	ev_signal ended;
	ev_timer later; /* active while one of ours is in the way */
	struct ev_loop *loop;
	orphans_ours *ours;
	void *ctx;
};

/* Looks at the first that has ended without taking its status. */
static pid_t
first_ended(void)
{
	siginfo_t info = { 0 };

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD) <
	    0)
		return 0;
	return info.si_pid;
}

static void
reap(struct orphans *o)
{
	pid_t pid;

	ev_timer_stop(o->loop, &o->later);
	while ((pid = first_ended()) > 0) {
		if (o->ours(o->ctx, pid)) {
			ev_timer_set(&o->later, again, 0.);
			ev_timer_start(o->loop, &o->later);
			return;
		}
		while (waitpid(pid, NULL, __WNOTHREAD) < 0 && errno == EINTR)
			;
	}
}

static void
on_ended(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	reap(w->data);
}

static void
on_later(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	reap(w->data);
}

struct orphans *
orphans_new(struct ev_loop *loop, orphans_ours *ours, void *ctx)
{
	struct orphans *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->loop = loop;
	o->ours = ours;
	o->ctx = ctx;
	ev_signal_init(&o->ended, on_ended, SIGCHLD);
	ev_timer_init(&o->later, on_later, 0., 0.);
	o->ended.data = o->later.data = o;
	ev_signal_start(loop, &o->ended);
	return o;
}

void
orphans_free(struct orphans *o)
{
	if (o == NULL)
		return;
	ev_signal_stop(o->loop, &o->ended);
	ev_timer_stop(o->loop, &o->later);
	free(o);
}
