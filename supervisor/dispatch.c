/*
 * dispatch - tasks, and the lanes (one a handler) that they run in.
 *
 *   take --> held --> started --> ended
 *     |        |         ^          (run_hooks.done)
 *     +--------|---------+
 *     +--------+--> refused: FAIL without a program
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "handlers/run.h"
#include "protocol/job.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/ending.h"
#include "supervisor/gate.h"
#include "supervisor/joblist.h"
#include "supervisor/judge.h"
#include "supervisor/lane.h"
#include "supervisor/metrics.h"
#include "supervisor/output.h"
#include "supervisor/places.h"
#include "supervisor/task.h"
#include "supervisor/timeline.h"

void
dispatch_leave(struct task *t)
{
	struct dispatch *d = t->dispatch;

	TAILQ_REMOVE(&d->all, t, link);
	d->busy--;
	if (t->dir != NULL && t->outlived)
		scratch_retire(d->parts.scratch, t->dir);
	else if (t->dir != NULL)
		scratch_remove(d->parts.scratch, t->dir);
	t->dir = NULL; /* taken */
	task_free(t);
	d->ended(d->ctx);
}

void
dispatch_give_back(struct task *t, const char *errtype, const char *message)
{
	const struct failure f = { .errtype = errtype, .message = message };

	ending_given_back(t, &f);
	dispatch_leave(t);
}

void
dispatch_refuse(struct task *t, const char *errtype, const char *message)
{
	const struct failure f = { .errtype = errtype, .message = message };

	ending_refused(t, &f);
	dispatch_leave(t);
}

void
dispatch_return(struct task *t)
{
	ending_returned(t);
	dispatch_leave(t);
}

/* The first that waits for nothing but a place; NULL: none. */
static struct task *
next_of(const struct lane *lane)
{
	struct task *t = TAILQ_FIRST(&lane->held);

	while (t != NULL && dispatch_still_ends(t))
		t = TAILQ_NEXT(t, queued);
	return t;
}

void
dispatch_start_next(struct dispatch *d, struct lane *lane)
{
	struct task *t;

	while (gate_is_open(d, lane) && (t = next_of(lane)) != NULL) {
		gate_unhold(t);
		dispatch_start(t);
	}
}

static void
start_all(struct dispatch *d)
{
	for (size_t i = 0; i < d->lanes.generation->settings->nhandlers; i++)
		dispatch_start_next(d, d->lanes.of[i]);
}

static void
on_line(
    void *ctx, enum run_stream stream, const char *bytes, size_t len, bool more)
{
	struct task *t = ctx;

	bool passed = true;

	job_log_pid(&t->output.log, run_pid(t->run));
	if (stream == RUN_STDOUT && t->how->stdout_result)
		talk_print(&t->talk, bytes, len, more);
	else
		passed = output_line(
		    &t->lane->output, &t->output, stream, bytes, len, more);

	metrics_line(t->dispatch->parts.metrics, &t->job, !passed);
}

static void
on_message(void *ctx, const char *bytes, size_t len, bool more)
{
	struct task *t = ctx;

	job_log_pid(&t->output.log, run_pid(t->run));
	talk_line(&t->talk, bytes, len, more);
}

static void
on_done(void *ctx, const struct run_facts *facts)
{
	struct task *t = ctx;
	struct dispatch *d = t->dispatch;
	struct lane *lane = t->lane;
	bool lost = t->lost;
	struct verdict v;

	job_log_pid(&t->output.log, run_pid(t->run));
	t->run = NULL;
	t->outlived = facts->survived || facts->held_open ||
	    (facts->left > 0 && t->how->leftover == LEFTOVER_WARN);
	talk_end(&t->talk, facts->output_cut);
	judge(&v, t->how, facts, talk_error(&t->talk), talk_refusal(&t->talk));
	if (facts->started)
		saturation_note(&d->saturation, &facts->usage, clock_mono());
	crashes_judge(&d->crashes, &t->job, t->how->crash_limit, facts, &v);
	lane->running--;
	gate_note(t, facts, &v);
	if (facts->started || facts->reason != RUN_BY_ITSELF ||
	    !gate_takes_back(t, v.message)) {
		ending_ran(t, facts, &v);
		if (v.kind == VERDICT_DONE)
			talk_tell_unused(&t->talk);
		output_tell(&lane->output);
		dispatch_leave(t);
	}
	verdict_clear(&v);
	dispatch_start_next(d, lane);
	lane_settle(lane);
	if (lost)
		start_all(d); /* it may have been waited for */
}

/* Of those that others decide upon, dispatch has told the reason itself. */
static void
on_stopping(void *ctx, enum run_reason reason)
{
	static const char *const names[] = { [RUN_TIMEOUT] = "timeout",
		[RUN_OUTPUT_LIMIT] = "output_limit",
		[RUN_STALLED] = "stalled",
		[RUN_LOST] = NULL };

	if (names[reason] != NULL)
		task_tell_why(ctx, names[reason]);
}

const struct run_hooks dispatch_run_hooks = { .line = on_line,
	.message = on_message,
	.stopping = on_stopping,
	.done = on_done };

/* Everything that a start needs; refuses the task when it cannot be had. */
static bool
prepare(struct task *t, int64_t now)
{
	struct dispatch *d = t->dispatch;
	struct err e;

	t->deadline = timeline_deadline(&t->when, t->how, now);
	if (t->deadline <= now) {
		dispatch_refuse(
		    t, "Timeout", "no time is left of the reservation");
		return false;
	}
	snprintf(t->id, sizeof t->id, "%s-%llu", d->parts.wid,
	    (unsigned long long)++d->dispatched);
	t->dir = scratch_make(d->parts.scratch, &e);
	if (t->dir == NULL) {
		gate_unavailable(t, e.code, e.text);
		return false;
	}
	int r = task_invoke(t, &t->generation->base, &d->parts, now, &e);
	if (r == -EINVAL) {
		ending_misfit(t, e.text);
		dispatch_leave(t);
	} else if (r < 0) {
		gate_unavailable(t, e.code, e.text);
	}
	return r == 0;
}

void
dispatch_start(struct task *t)
{
	struct dispatch *d = t->dispatch;

	if (!prepare(t, clock_mono()))
		return;
	t->request.spawn.outlive = d->parts.outlive;
	t->run = run_start(d->parts.loop, d->parts.spawner, &t->request,
	    &dispatch_run_hooks, t);
	if (t->run == NULL) {
		gate_unavailable(t, ENOMEM, "out of memory");
		return;
	}
	output_file_begin(
	    &t->output.file, d->parts.files, t->how, &t->output.log, false);
	task_listen(t, d->parts.loop, d->parts.metrics);
	t->lane->running++;
	gate_begin(t);
	metrics_started(d->parts.metrics, &t->job);
	if (d->began != NULL) {
		const struct joblist_job job = joblist_describe(t);

		d->began(d->watcher, &job);
	}
	job_log_say(&t->output.log, LOG_LEVEL_INFO, JOB_STARTED,
	    "started %s (attempt %lld of %lld)", t->how->program,
	    (long long)job_attempt(&t->job),
	    (long long)job_max_attempts(&t->job));
}

static void
refuse_unknown(struct task *t)
{
	const struct settings *s = t->generation->settings;
	char message[512];
	const struct failure f = { .errtype = "UnknownJobtype",
		.message = message,
		.dead = s->unknown == UNKNOWN_DEAD };

	snprintf(message, sizeof message, "no handler for jobtype \"%s\" in %s",
	    t->jobtype, s->file);
	ending_refused(t, &f);
	dispatch_leave(t);
}

bool
dispatch_take(struct dispatch *d, size_t server, const char *bytes, size_t len,
    int64_t asked_at)
{
	struct err e;
	struct task *t = task_new(d, bytes, len, asked_at, &e);

	if (t == NULL) {
		log_say(LOG_LEVEL_ERROR, "server",
		    "sent a job that cannot be taken up: %s; it stays reserved",
		    e.text);
		return false;
	}
	if (report_knows(d->parts.reports[server], &t->job, t->when.expires)) {
		task_free(t);
		return true;
	}
	t->server = server;
	TAILQ_INSERT_TAIL(&d->all, t, link);
	d->busy++;

	t->generation = generation_hold(d->lanes.generation);
	t->how = settings_choose(
	    t->generation->settings, t->job.jobtype.bytes, t->job.jobtype.len);
	if (t->how == NULL) {
		refuse_unknown(t);
		return true;
	}
	t->lane = lanes_find(&d->lanes, t->how);
	task_time(t, asked_at);
	if (d->closed)
		dispatch_return(t);
	else
		gate_admit(t);
	return true;
}

struct dispatch *
dispatch_new(const struct dispatch_parts *parts, struct generation *first,
    void (*ended)(void *ctx), void *ctx)
{
	struct dispatch *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->parts = *parts;
	d->ended = ended;
	d->ctx = ctx;
	TAILQ_INIT(&d->all);
	saturation_init(&d->saturation);
	if (lanes_take(&d->lanes, first) < 0) {
		free(d);
		return NULL;
	}
	gate_init(d);
	return d;
}

int
dispatch_reload(struct dispatch *d, struct generation *next)
{
	int r = lanes_take(&d->lanes, next);

	if (r < 0)
		return r;
	gate_renew(d);
	start_all(d); /* some lanes may have become wider */
	return 0;
}

void
dispatch_free(struct dispatch *d)
{
	if (d == NULL)
		return;
	gate_stop(d);
	crashes_clear(&d->crashes);
	lanes_clear(&d->lanes);
	free(d);
}

size_t
dispatch_room(const struct dispatch *d)
{
	size_t slots = (size_t)d->lanes.generation->settings->concurrency;

	if (d->closed || d->held * 4 > slots || d->busy >= slots)
		return 0;
	return slots - d->busy;
}

size_t
dispatch_places(const struct dispatch *d, const char *queue)
{
	return places_in(d, queue);
}

size_t
dispatch_sure(const struct dispatch *d, const char *queue)
{
	return places_sure(d, queue);
}

bool
dispatch_serves(const struct dispatch *d, const char *queue)
{
	return places_by_breakers(d, queue) > 0;
}

size_t
dispatch_busy(const struct dispatch *d)
{
	return d->busy;
}

size_t
dispatch_held(const struct dispatch *d)
{
	return d->held;
}

bool
dispatch_is_crowded(const struct dispatch *d)
{
	return saturation_is_high(
	    &d->saturation, d->busy - d->held, clock_mono());
}

uint64_t
dispatch_lost(const struct dispatch *d)
{
	return d->lost;
}

void
dispatch_pause(struct dispatch *d)
{
	d->paused = true;
}

/* A held job that could start in a lane that the newest settings lack. */
static struct lane *
stranded(const struct dispatch *d)
{
	const struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (t->run == NULL && t->lane->closed &&
		    gate_is_open(d, t->lane) && !dispatch_still_ends(t))
			return t->lane;
	return NULL;
}

void
dispatch_resume(struct dispatch *d)
{
	struct lane *lane;

	d->paused = false;
	gate_renew(d);
	start_all(d);
	while (!d->closed && (lane = stranded(d)) != NULL) {
		dispatch_start_next(d, lane);
		lane_settle(lane);
	}
}
