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
#include <stdlib.h>
#include <sys/wait.h>

/* Between two looks, in seconds, while there are children. */
static const double pause_min = 0.05, pause_max = 1.;

struct orphans {
	ev_timer again; /* active while the first thread has children */
	double pause;
	struct ev_loop *loop;
	orphans_ours *ours;
	void *ctx;
};

/*
 * The first that has ended, without taking its status; 0: there are children,
 * and none has; -1: there are none.
 */
static pid_t
first_ended(void)
{
	siginfo_t info = { 0 };

	return waitid(P_ALL, 0, &info,
		   WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD) < 0
	    ? -1
	    : info.si_pid;
}

/* False: there are no children any more. One of ours is for its run. */
static bool
reap(const struct orphans *o)
{
	pid_t pid;

	while ((pid = first_ended()) > 0 && !o->ours(o->ctx, pid))
		while (waitpid(pid, NULL, __WNOTHREAD) < 0 && errno == EINTR)
			;
	return pid >= 0;
}

static void
look_again(struct orphans *o)
{
	ev_timer_set(&o->again, o->pause, 0.);
	ev_timer_start(o->loop, &o->again);
}

void
orphans_look(struct orphans *o)
{
	if (!reap(o)) {
		ev_timer_stop(o->loop, &o->again);
	} else if (!ev_is_active(&o->again)) {
		o->pause = pause_min;
		look_again(o);
	}
}

static void
on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct orphans *o = w->data;

	(void)loop;
	(void)revents;
	if (!reap(o))
		return;
	o->pause = o->pause * 2 < pause_max ? o->pause * 2 : pause_max;
	look_again(o);
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
	o->pause = pause_min;
	ev_timer_init(&o->again, on_again, 0., 0.);
	o->again.data = o;
	look_again(o); /* who was given to us before there was a loop */
	return o;
}

void
orphans_free(struct orphans *o)
{
	if (o == NULL)
		return;
	ev_timer_stop(o->loop, &o->again);
	free(o);
}
