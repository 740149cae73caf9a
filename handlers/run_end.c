/*
 * run_end - how a run ends once its leader has: what that left is waited for
 * or killed, the output drained, the leader reaped, the facts told.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/run_end.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* Between two looks at what is left; the first follows soon. */
#define PAUSE_MIN INT64_C(1000000)  /* ns */
#define PAUSE_MAX INT64_C(50000000) /* ns */

void
run_tell(struct run *r)
{
	r->facts.tail = tail_bytes(r->tail, &r->facts.tail_len);
	r->hooks->done(r->ctx, &r->facts);
	run_free(r);
}

/* With the leader, the last that we must reap has left its namespace. */
static void
bury(struct run *r)
{
	r->state = BURYING;
	ev_io_stop(r->loop, &r->ended);
	ev_io_set(&r->ended, r->tree.space.fd, EV_READ);
	ev_io_start(r->loop, &r->ended);
	run_set_timer(r, r->until);
}

/* Frees r. */
static void
buried(struct run *r, bool over)
{
	r->facts.survived = r->facts.survived || !over;
	ev_io_stop(r->loop, &r->ended);
	ev_timer_stop(r->loop, &r->timer);
	close(r->pidfd);
	run_tell(r);
}

/*
 * May free r. A status that somebody else took must not count as success.
 */
static void
reap(struct run *r)
{
	pid_t got;

	ev_timer_stop(r->loop, &r->timer);
	tree_clear(&r->tree);
	do
		got = wait4(r->pid, &r->facts.status, 0, &r->facts.usage);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		r->facts.status = SIGKILL;
	if (r->tree.space.init != 0) {
		bury(r);
		return;
	}
	close(r->pidfd);
	run_tell(r);
}

static void
look_later(struct run *r)
{
	run_set_timer(r, clock_mono() + r->pause);
	r->pause = r->pause * 2 < PAUSE_MAX ? r->pause * 2 : PAUSE_MAX;
}

/* What is alive has been left by a program that nobody stopped. */
static void
note_left(struct run *r, size_t n)
{
	if (r->facts.reason == RUN_BY_ITSELF && n > r->facts.left)
		r->facts.left = n;
}

/*
 * May free r. What is left of the tree dies while the zombie still holds the
 * number of the group.
 */
static void
sweep(struct run *r)
{
	size_t left;

	note_left(r, tree_sweep(&r->tree, &left));
	if (left > 0 && clock_mono() < r->until) {
		look_later(r);
		return;
	}
	r->facts.survived = left > 0;
	reap(r);
}

/* May free r. */
static void
finish(struct run *r)
{
	for (size_t i = 0; i < RUN_STREAMS; i++)
		outlet_close(&r->outlets[i]);
	/* Before its last process has ended: then a unit's group is removed. */
	if (r->tree.leaf != NULL)
		r->facts.out_of_memory = cgroup_oom_kills(r->tree.leaf) > 0;
	if (r->req->leftover == RUN_LEFT_WARN && r->tree.space.init == 0 &&
	    r->facts.reason == RUN_BY_ITSELF) {
		note_left(r, tree_spare(&r->tree));
		reap(r);
		return;
	}
	r->state = SWEEPING;
	r->until = clock_mono() + RUN_REAP;
	r->pause = PAUSE_MIN;
	sweep(r);
}

void
run_finish_if_over(struct run *r)
{
	if (r->state == DRAINING && run_is_silent(r))
		finish(r);
}

void
run_end_sooner(struct run *r, int64_t grace)
{
	int64_t end = clock_mono() + grace;

	if (!r->facts.killed) {
		r->facts.killed = true;
		tree_term_left(&r->tree);
		r->until = end;
	} else if (end < r->until) {
		r->until = end;
	}
	r->pause = PAUSE_MIN;
	look_later(r);
}

/* May free r. */
static void
drain(struct run *r)
{
	r->state = DRAINING;
	run_pull(r);
	if (!run_is_silent(r)) {
		run_read(r);
		run_set_timer(r, clock_mono() + RUN_DRAIN);
	}
	run_finish_if_over(r);
}

/* One look at what goes on without its leader. May free r. */
static void
linger(struct run *r)
{
	if (tree_left(&r->tree) == 0) {
		drain(r);
	} else if (clock_mono() < r->until) {
		look_later(r);
	} else if (!r->facts.killed) {
		run_stop(r, RUN_TIMEOUT, r->req->grace);
	} else {
		size_t left;

		(void)tree_sweep(&r->tree, &left);
		drain(r);
	}
}

void
run_end_begin(struct run *r)
{
	if (r->req->leftover == RUN_LEFT_WAIT &&
	    r->facts.reason == RUN_BY_ITSELF) {
		r->state = LINGERING;
		run_read(r);
		r->until = r->deadline;
		r->pause = PAUSE_MIN;
		linger(r);
	} else {
		drain(r);
	}
}

/* Somebody holds the output open, or the loop was too busy to see its end. */
static void
stop_draining(struct run *r)
{
	run_pull(r);
	r->facts.held_open = !run_is_silent(r);
	finish(r);
}

void
run_end_look(struct run *r)
{
	if (r->state == LINGERING)
		linger(r);
	else if (r->state == SWEEPING)
		sweep(r);
	else if (r->state == BURYING)
		buried(r, false);
	else
		stop_draining(r);
}

void
run_end_left(struct run *r)
{
	if (pidspace_is_over(&r->tree.space))
		buried(r, true);
}
