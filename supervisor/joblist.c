/*
 * joblist - a walk over dispatch's tasks.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/joblist.h"

#include <string.h>

#include "base/clock.h"
#include "handlers/run.h"
#include "protocol/job.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/metrics.h"

const char *
joblist_state_name(enum joblist_state s)
{
	static const char *const names[] = {
		[JOBLIST_HELD] = "held",
		[JOBLIST_STARTING] = "starting",
		[JOBLIST_RUNNING] = "running",
		[JOBLIST_ENDING] = "ending",
	};

	return names[s];
}

static enum joblist_state
state_of(const struct task *t)
{
	if (t->run == NULL)
		return JOBLIST_HELD;
	if (run_is_stopped(t->run))
		return JOBLIST_ENDING;
	return run_pid(t->run) == 0 ? JOBLIST_STARTING : JOBLIST_RUNNING;
}

/* When a held job is refused. */
static int64_t
refused_at(const struct task *t)
{
	bool soon = t->patience > 0 && t->patience < t->when.latest &&
	    t->lane->breaker.state != BREAKER_CLOSED;

	return soon ? t->patience : t->when.latest;
}

struct joblist_job
joblist_describe(const struct task *t)
{
	bool held = t->run == NULL;

	return (struct joblist_job){
		.jid = t->jid,
		.jobtype = t->jobtype,
		.queue = t->queue,
		.dispatch = t->id,
		.attempt = job_attempt(&t->job),
		.lost = t->lost,
		.state = state_of(t),
		.pid = held ? 0 : run_pid(t->run),
		.taken = task_asked_at(t),
		.started = held ? 0 : t->talk.began,
		/* A program may have asked for more time. */
		.deadline = held ? refused_at(t) : t->talk.parts.deadline,
		.percent = t->talk.progressed ? t->talk.percent : -1.,
		.desc = t->talk.desc,
		/* Listening changes the tap, and nothing of the job. */
		.tap = (struct tap *)(uintptr_t)&t->output.tap,
	};
}

void
joblist_walk(const struct dispatch *d, joblist_each *each, void *ctx)
{
	const struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link)) {
		const struct joblist_job job = joblist_describe(t);

		if (!each(ctx, &job))
			return;
	}
}

struct task *
dispatch_find(const struct dispatch *d, const char *jid)
{
	struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (strcmp(t->jid, jid) == 0 && !t->lost)
			return t;
	return NULL;
}

bool
joblist_find(const struct dispatch *d, const char *jid, struct joblist_job *job)
{
	const struct task *t = dispatch_find(d, jid);

	if (t != NULL)
		*job = joblist_describe(t);
	return t != NULL;
}

void
joblist_watch(struct dispatch *d, joblist_began *began, void *ctx)
{
	d->began = began;
	d->watcher = ctx;
}

void
joblist_tell_work(const struct dispatch *d, struct metrics *m)
{
	const struct task *t;

	metrics_begin_work(m);
	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		metrics_at_work(m, &t->job, t->run != NULL);
	for (size_t i = 0; i < d->lanes.generation->settings->nhandlers; i++) {
		const struct lane *lane = d->lanes.of[i];

		metrics_breaker(m, lane->how->jobtype, &lane->breaker);
	}
}

void
joblist_walk_breakers(
    const struct dispatch *d, joblist_each_breaker *each, void *ctx)
{
	for (size_t i = 0; i < d->lanes.generation->settings->nhandlers; i++) {
		const struct lane *lane = d->lanes.of[i];

		if (lane->breaker.state != BREAKER_CLOSED &&
		    !each(ctx, lane->how->jobtype, &lane->breaker))
			return;
	}
}

size_t
joblist_starting(const struct dispatch *d)
{
	const struct task *t;
	size_t n = 0;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		n += t->run != NULL && run_pid(t->run) == 0;
	return n;
}

bool
joblist_owns(const struct dispatch *d, pid_t pid)
{
	const struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (t->run != NULL && run_owns(t->run, pid))
			return true;
	return false;
}

size_t
joblist_count(const struct dispatch *d, size_t server)
{
	const struct task *t;
	size_t n = 0;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		n += t->server == server;
	return n;
}
