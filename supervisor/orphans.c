/*
 * orphans - the children of the first thread alone.
 *
 * Linux remembers which thread a child belongs to. Our programs are children
 * of the spawner's threads; orphans are given to the first thread of the
 * subreaper. So waiting for the children of this thread only (__WNOTHREAD)
 * can never take the status of a program of ours.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/orphans.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct orphans {
	ev_signal ended;
	struct ev_loop *loop;
};

static void
on_ended(struct ev_loop *loop, ev_signal *w, int revents)
{
	siginfo_t info;

	(void)loop;
	(void)w;
	(void)revents;
	do
		info.si_pid = 0;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WNOTHREAD) == 0 &&
	    info.si_pid != 0);
}

struct orphans *
orphans_new(struct ev_loop *loop)
{
	struct orphans *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->loop = loop;
	prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
	ev_signal_init(&o->ended, on_ended, SIGCHLD);
	ev_signal_start(loop, &o->ended);
	return o;
}

void
orphans_free(struct orphans *o)
{
	if (o == NULL)
		return;
	ev_signal_stop(o->loop, &o->ended);
	free(o);
}
