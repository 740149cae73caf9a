/*
 * carry - dispatch's jobs, from one program to the next in the same process.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "handlers/run.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/gate.h"
#include "supervisor/lane.h"
#include "supervisor/task.h"

/* The generations that jobs hold, each once; its number is its place. */
struct generations {
	struct generation **of; /* owned */
	size_t count;
};

static size_t
number_of(const struct generations *g, const struct generation *one)
{
	size_t i = 0;

	while (i < g->count && g->of[i] != one)
		i++;
	return i;
}

static bool
collect(const struct dispatch *d, struct generations *g)
{
	const struct task *t;

	g->of = calloc(d->busy + 1, sizeof(struct generation *));
	if (g->of == NULL)
		return false;
	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (number_of(g, t->generation) == g->count)
			g->of[g->count++] = t->generation;
	return true;
}

void
dispatch_save(const struct dispatch *d, struct state_writer *w)
{
	struct generations g = { 0 };
	const struct task *t;

	if (!collect(d, &g)) {
		w->failed = true;
		return;
	}
	state_put_int(w, (int64_t)d->dispatched);
	state_put_int(w, (int64_t)d->lost);
	gate_save(d, w);
	crashes_save(&d->crashes, w);
	state_put_int(w, (int64_t)g.count);
	for (size_t i = 0; i < g.count; i++)
		generation_save(g.of[i], w);
	state_put_int(w, (int64_t)d->busy);
	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link)) {
		state_put_int(w, (int64_t)number_of(&g, t->generation));
		task_save(t, w);
		state_put_int(w, t->run != NULL);
		if (t->run != NULL)
			run_save(t->run, w);
	}
	free(g.of);
}

/*
 * A job keeps its generation if that can be read again, else it goes on under
 * the newest; NULL when neither knows its type.
 */
static const struct handler *
find_handler(struct dispatch *d, struct task *t, struct generation *own)
{
	struct generation *both[] = { own, d->lanes.generation };

	for (size_t i = 0; i < 2; i++) {
		const struct handler *how = both[i] == NULL
		    ? NULL
		    : settings_choose(both[i]->settings, t->job.jobtype.bytes,
			  t->job.jobtype.len);

		if (how == NULL)
			continue;
		t->generation = generation_hold(both[i]);
		return how;
	}
	return NULL;
}

/* Jobs of a type that the newest settings do not have share a closed lane. */
static struct lane *
find_lane(struct dispatch *d, const struct task *t)
{
	const struct task *other;

	for (other = TAILQ_FIRST(&d->all); other != NULL;
	     other = TAILQ_NEXT(other, link))
		if (other->lane->closed &&
		    strcmp(other->how->jobtype, t->how->jobtype) == 0)
			return other->lane;
	return lanes_find_or_close(&d->lanes, t->generation, t->how);
}

/* Puts a job that was read into its place. False: the state is bad. */
static bool
settle_in(struct task *t, struct generation *own, struct state_reader *r)
{
	struct dispatch *d = t->dispatch;
	const struct job_log *log = &t->output.log;

	t->how = find_handler(d, t, own);
	if (t->how != NULL)
		t->lane = find_lane(d, t);
	if (t->lane == NULL) {
		job_log_say(log, LOG_LEVEL_ERROR, NULL,
		    "cannot go on: no settings for it");
		return false;
	}
	TAILQ_INSERT_TAIL(&d->all, t, link);
	d->busy++;
	if (state_get_within(r, 0, 1) == 0) {
		gate_hold(t);
		return !r->failed;
	}
	task_request(t, &d->parts);
	t->run =
	    run_load(d->parts.loop, r, &t->request, &dispatch_run_hooks, t);
	if (t->run != NULL) {
		output_file_begin(&t->output.file, d->parts.files, t->how,
		    &t->output.log, true);
		task_listen(t, d->parts.loop, d->parts.metrics);
		t->lane->running++;
		if (t->probe)
			breaker_take_probe(&t->lane->breaker);
		return true;
	}
	job_log_say(
	    log, LOG_LEVEL_ERROR, NULL, "cannot go on: its state is bad");
	TAILQ_REMOVE(&d->all, t, link);
	d->busy--;
	return false;
}

static void
load_tasks(
    struct dispatch *d, struct state_reader *r, const struct generations *g)
{
	int64_t n = state_get_within(r, 0, INT32_MAX);
	struct err e;

	while (n-- > 0 && !r->failed) {
		int64_t i = state_get_within(r, 0, (int64_t)g->count - 1);
		struct task *t = task_load(d, r, &e);

		if (t == NULL)
			break;
		if (r->failed || !settle_in(t, g->of[i], r)) {
			r->failed = true;
			task_free(t);
		}
	}
}

size_t
dispatch_load(struct dispatch *d, struct state_reader *r,
    const char *(*lookup)(const char *name))
{
	struct generations g = { 0 };
	struct err e;

	d->dispatched = (uint64_t)state_get_within(r, 0, INT64_MAX);
	d->lost = (uint64_t)state_get_within(r, 0, INT64_MAX);
	gate_load(d, r);
	crashes_load(&d->crashes, r);
	size_t n = (size_t)state_get_within(r, 0, INT32_MAX);
	g.of = r->failed ? NULL : calloc(n + 1, sizeof(struct generation *));
	for (; g.of != NULL && g.count < n && !r->failed; g.count++) {
		g.of[g.count] = generation_load(r, lookup, &e);
		if (g.of[g.count] == NULL)
			log_say(LOG_LEVEL_WARNING, "upgrade",
			    "older settings cannot be read again: %s", e.text);
	}
	if (g.of != NULL)
		load_tasks(d, r, &g);
	else
		r->failed = true;
	for (size_t i = 0; i < g.count; i++)
		generation_drop(g.of[i]);
	free(g.of);
	gate_renew(d);
	return d->busy;
}

void
dispatch_renumber(struct dispatch *d, const size_t *now_at, size_t n)
{
	struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		t->server = t->server < n ? now_at[t->server] : 0;
}
