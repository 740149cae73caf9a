/*
 * program - what a job's program looks like from outside, and no process.
 *
 * In the place of handlers/run: it starts or cannot be started, speaks, ends
 * when an input says so, and when it is told to stop, at once or by KILL. An
 * rm of the supervisor's is done on the spot.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_PROGRAM_H
#define TESTS_FUZZ_PROGRAM_H

#include <errno.h>
#include <ev.h>
#include <signal.h>

#include "handlers/run.h"
#include "supervisor/dispatch_inside.h"
#include "tests/fuzz/account.h"
#include "tests/fuzz/place.h"
#include "tests/fuzz/wrapped.h"

enum { PROGRAMS = 32 };

struct program {
	bool used;
	struct ev_loop *loop;
	const struct run_request *req;
	const struct run_hooks *hooks;
	void *ctx;
	ev_timer turn; /* active while it starts, and when it is to end */
	ev_timer limit;
	pid_t pid;      /* 0: it starts */
	bool is_ending; /* turn: it ends */
	int64_t began;
	struct run_facts facts;
};

static struct {
	struct program all[PROGRAMS];
	int fail; /* an errno: what starts now cannot be started; 0: it can */
	bool stubborn; /* they do not hear TERM */
	unsigned events;
} programs;

/* A job's, by its place among those that run; NULL: none does. */
static struct program *
program_pick(size_t which)
{
	struct program *of[PROGRAMS];
	size_t n = 0;

	for (size_t i = 0; i < PROGRAMS; i++) {
		struct program *p = &programs.all[i];

		if (p->used && p->hooks == &dispatch_run_hooks && p->pid != 0 &&
		    !p->is_ending)
			of[n++] = p;
	}
	return n > 0 ? of[which % n] : NULL;
}

/* Those of jobs that have a place, starting or running. */
static size_t
programs_at_work(void)
{
	size_t n = 0;

	for (size_t i = 0; i < PROGRAMS; i++)
		n += programs.all[i].used &&
		    programs.all[i].hooks == &dispatch_run_hooks;
	return n;
}

static void
program_wait(struct program *p, double seconds)
{
	ev_timer_stop(p->loop, &p->turn);
	ev_timer_set(&p->turn, seconds, 0.);
	ev_timer_start(p->loop, &p->turn);
}

static void
program_tell(struct program *p, bool was_job)
{
	const struct task *t = p->ctx;

	ev_timer_stop(p->loop, &p->turn);
	ev_timer_stop(p->loop, &p->limit);
	if (was_job)
		account_ended(t->job.jid.bytes, t->job.jid.len, (int)t->server,
		    p->facts.reason == RUN_LOST);
	programs.events++;
	p->hooks->done(p->ctx, &p->facts);
	*p = (struct program){ 0 };
}

/* Its end, from a turn of the loop. */
static void
program_end(struct program *p, int status, const char *says)
{
	p->is_ending = true;
	p->facts.status = status;
	p->facts.tail = says;
	p->facts.tail_len = strlen(says);
	program_wait(p, 0.);
}

static void
program_stop(struct program *p, enum run_reason reason, int64_t grace)
{
	if (p->is_ending && p->facts.reason == RUN_BY_ITSELF)
		return; /* it has ended */
	if (p->facts.reason == RUN_BY_ITSELF) {
		p->facts.reason = reason;
		if (p->hooks->stopping != NULL)
			p->hooks->stopping(p->ctx, reason);
	}
	if (p->pid == 0)
		return; /* when it has started */
	p->is_ending = true;
	p->facts.killed = programs.stubborn;
	p->facts.status = programs.stubborn ? SIGKILL : SIGTERM;
	program_wait(p, programs.stubborn ? (double)grace / 1e9 : 0.);
}

static void
program_starts(struct program *p)
{
	const struct task *t = p->ctx;

	if (programs.fail != 0) {
		p->facts.why.errnum = programs.fail;
		program_tell(p, false);
		return;
	}
	p->pid = 1 + (pid_t)(p - programs.all);
	p->facts.started = true;
	p->began = clock_mono();
	programs.events++;
	account_began(t->job.jid.bytes, t->job.jid.len, (int)t->server);
	if (p->facts.reason != RUN_BY_ITSELF)
		program_stop(p, p->facts.reason, 0);
	else
		ev_timer_start(p->loop, &p->limit);
}

/* What stands behind `rm -rf --`. */
static void
program_removes(const struct spawn_request *rm)
{
	for (char *const *path = rm->argv + 3; *path != NULL; path++)
		(void)nftw(*path, place_drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void
program_on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct program *p = w->data;
	bool is_job = p->hooks == &dispatch_run_hooks;

	(void)loop;
	(void)revents;
	if (!is_job) {
		program_removes(&p->req->spawn);
		p->facts.started = true;
		program_tell(p, false);
	} else if (p->is_ending) {
		p->facts.elapsed = clock_mono() - p->began;
		program_tell(p, true);
	} else {
		program_starts(p);
	}
}

static void
program_on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct program *p = w->data;

	(void)loop;
	(void)revents;
	if (!p->is_ending)
		program_stop(p, RUN_TIMEOUT, p->req->grace);
}

static void
program_set_limit(struct program *p, int64_t deadline)
{
	double left = (double)(deadline - clock_mono()) / 1e9;
	bool active = ev_is_active(&p->limit);

	ev_timer_stop(p->loop, &p->limit);
	ev_timer_set(&p->limit, left > 0. ? left : 0., 0.);
	if (active)
		ev_timer_start(p->loop, &p->limit);
}

/* ---- in the place of handlers/run --------------------------------------------------- */

WRAPPED(struct run *, run_start, struct ev_loop *loop, struct spawner *spawner,
    const struct run_request *req, const struct run_hooks *hooks, void *ctx)
{
	struct program *p = programs.all;

	(void)spawner;
	while (p < programs.all + PROGRAMS && p->used)
		p++;
	must(p < programs.all + PROGRAMS);
	if (hooks == &dispatch_run_hooks) {
		const struct task *t = ctx;

		account_begins(t->job.jid.bytes, t->job.jid.len, (int)t->server,
		    req->deadline + req->grace);
	}
	*p = (struct program){ .used = true,
		.loop = loop,
		.req = req,
		.hooks = hooks,
		.ctx = ctx,
		.facts = { .tail = "" } };
	ev_timer_init(&p->turn, program_on_turn, 0., 0.);
	ev_timer_init(&p->limit, program_on_limit, 0., 0.);
	p->turn.data = p->limit.data = p;
	program_set_limit(p, req->deadline);
	ev_timer_start(loop, &p->turn);
	return (struct run *)(void *)p;
}

WRAPPED(void, run_stop, struct run *r, enum run_reason reason, int64_t grace)
{
	program_stop((struct program *)(void *)r, reason, grace);
}

WRAPPED(void, run_set_deadline, struct run *r, int64_t deadline)
{
	program_set_limit((struct program *)(void *)r, deadline);
}

WRAPPED(bool, run_is_stopped, const struct run *r)
{
	const struct program *p = (const void *)r;

	return p->facts.reason != RUN_BY_ITSELF;
}

WRAPPED(pid_t, run_pid, const struct run *r)
{
	const struct program *p = (const void *)r;

	return p->pid;
}

WRAPPED(bool, run_owns, const struct run *r, pid_t pid)
{
	(void)r;
	(void)pid;
	return false;
}

/* There is nothing to start, so nobody who starts it. */
WRAPPED(struct spawner *, spawner_new, struct ev_loop *loop)
{
	static int nobody;

	(void)loop;
	return (struct spawner *)(void *)&nobody;
}

WRAPPED(void, spawner_free, struct spawner *s)
{
	(void)s;
}

/* An rm of all that is left. */
WRAPPED(int, spawn, const struct spawn_request *req, struct spawn_child *child,
    struct spawn_failure *why)
{
	(void)child;
	(void)why;
	program_removes(req);
	return -1;
}

#endif
