/*
 * lane - kept by jobtype from one generation to the next.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/task.h"

static struct lane *
lane_new(void)
{
	struct lane *lane = calloc(1, sizeof *lane);

	if (lane != NULL)
		TAILQ_INIT(&lane->held);
	return lane;
}

static void
lane_free(struct lane *lane)
{
	generation_drop(lane->generation);
	breaker_clear(&lane->breaker);
	free(lane);
}

/* From now on by the settings of this handler. */
static void
lane_set(struct lane *lane, struct generation *g, const struct handler *how)
{
	struct generation *before = lane->generation;

	lane->generation = generation_hold(g);
	lane->how = how;
	lane->output.how = how;
	generation_drop(before);
}

void
lane_settle(struct lane *lane)
{
	if (lane->closed && lane->running == 0 && TAILQ_EMPTY(&lane->held))
		lane_free(lane);
}

bool
lane_is_full(const struct lane *lane)
{
	int64_t most = lane->how->concurrency;

	return most > 0 && lane->running >= most;
}

struct lane *
lanes_find(const struct lanes *l, const struct handler *how)
{
	return l->of[how - l->generation->settings->handlers];
}

/* The lane that this jobtype has so far, or NULL. */
static struct lane *
lane_before(const struct lanes *l, const struct handler *how)
{
	if (l->generation == NULL)
		return NULL;
	const struct handler *old = settings_handler(
	    l->generation->settings, how->jobtype, strlen(how->jobtype));
	return old != NULL ? lanes_find(l, old) : NULL;
}

/* The new table: old lanes where there are any. NULL without memory. */
static struct lane **
draw(const struct lanes *l, const struct settings *s)
{
	struct lane **of = calloc(s->nhandlers + 1, sizeof(struct lane *));
	bool complete = of != NULL;

	for (size_t i = 0; complete && i < s->nhandlers; i++) {
		of[i] = lane_before(l, &s->handlers[i]);
		if (of[i] == NULL)
			of[i] = lane_new();
		complete = of[i] != NULL;
	}
	if (complete)
		return of;
	for (size_t i = 0; of != NULL && i < s->nhandlers; i++)
		if (of[i] != NULL && of[i]->generation == NULL)
			lane_free(of[i]);
	free(of);
	return NULL;
}

static void
close_missing(struct lanes *l, const struct settings *next)
{
	const struct settings *s = l->generation->settings;

	for (size_t i = 0; i < s->nhandlers; i++) {
		const char *jobtype = s->handlers[i].jobtype;

		if (settings_handler(next, jobtype, strlen(jobtype)) != NULL)
			continue;
		l->of[i]->closed = true;
		lane_settle(l->of[i]);
	}
}

int
lanes_take(struct lanes *l, struct generation *next)
{
	const struct settings *s = next->settings;
	struct lane **of = draw(l, s);

	if (of == NULL)
		return -ENOMEM;
	if (l->generation != NULL)
		close_missing(l, s);
	for (size_t i = 0; i < s->nhandlers; i++)
		lane_set(of[i], next, &s->handlers[i]);
	free(l->of);
	l->of = of;
	struct generation *before = l->generation;
	l->generation = generation_hold(next);
	generation_drop(before);
	return 0;
}

void
lanes_clear(struct lanes *l)
{
	for (size_t i = 0;
	     l->generation != NULL && i < l->generation->settings->nhandlers;
	     i++)
		lane_free(l->of[i]);
	free(l->of);
	generation_drop(l->generation);
	*l = (struct lanes){ 0 };
}

struct lane *
lanes_find_or_close(
    const struct lanes *l, struct generation *g, const struct handler *how)
{
	struct lane *lane = lane_before(l, how);

	if (lane != NULL)
		return lane;
	lane = lane_new();
	if (lane != NULL) {
		lane_set(lane, g, how);
		lane->closed = true;
	}
	return lane;
}
