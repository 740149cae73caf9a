/*
 * plan - what a stock server's Redis holds.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "protocol/job.h"

static const struct {
	const char *name;
	enum job_state state;
} sets[PLAN_SETS] = {
	[PLAN_WORKING] = { "working", JOB_RESERVED },
	[PLAN_SCHEDULED] = { "scheduled", JOB_SCHEDULED },
	[PLAN_RETRIES] = { "retries", JOB_RETRY },
	[PLAN_DEAD] = { "dead", JOB_DEAD },
};

/* While it is made. */
struct making {
	struct plan *plan;
	struct source *source;
	struct map *queues;   /* by name */
	struct map *counters; /* by name; values are the names, copied */
	struct map *left;     /* the same */
	bool pausing;         /* which of the two sets of names is read */
};

const char *
plan_set_name(enum plan_set set)
{
	return sets[set].name;
}

enum job_state
plan_set_state(enum plan_set set)
{
	return sets[set].state;
}

enum plan_set
plan_set_of(enum job_state state)
{
	enum plan_set set = PLAN_WORKING;

	while (set < PLAN_SETS && sets[set].state != state)
		set++;
	return set;
}

char *
plan_list_key(const struct plan_queue *q, enum plan_layout layout)
{
	char *key;

	return asprintf(
		   &key, "%s%s", layout == LAYOUT_NEW ? "q:" : "", q->name) < 0
	    ? NULL
	    : key;
}

static int
short_of_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- names ------------------------------------------------------------------- */

static struct plan_queue *
queue_named(struct making *m, const char *name, size_t len, struct err *e)
{
	struct plan_queue *q = map_get(m->queues, name, len);

	if (q != NULL)
		return q;
	if (map_count(m->queues) >= PLAN_QUEUES_MAX) {
		err_set(e, EINVAL, "more than %d queues", PLAN_QUEUES_MAX);
		return NULL;
	}
	q = calloc(1, sizeof *q);
	if (q == NULL || (q->name = strndup(name, len)) == NULL ||
	    map_put(m->queues, q->name, len, q) < 0) {
		if (q != NULL)
			free(q->name);
		free(q);
		(void)short_of_memory(e);
		return NULL;
	}
	return q;
}

/* Remembers a name. Returns 1 when it is there already, 0, or -ENOMEM. */
static int
remember(struct map *names, const char *name)
{
	if (map_get(names, name, strlen(name)) != NULL)
		return 1;
	char *copy = strdup(name);
	if (copy == NULL || map_put(names, copy, strlen(copy), copy) < 0) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

/* ---- keys ---------------------------------------------------------------------- */

static int
leave(struct making *m, const char *key, struct err *e)
{
	struct plan *p = m->plan;
	int r = p->nleft < PLAN_LEFT_SHOWN ? remember(m->left, key) : 0;

	if (r < 0)
		return short_of_memory(e);
	if (r > 0)
		return 0;
	if (p->nleft < PLAN_LEFT_SHOWN &&
	    (p->left[p->nleft] = strdup(key)) == NULL)
		return short_of_memory(e);
	p->nleft++;
	return 0;
}

static int
on_name(void *ctx, const char *name, size_t len, struct err *e)
{
	struct making *m = ctx;
	struct plan_queue *q;

	if (!job_queue_name_ok(name, len))
		return leave(m, name, e);
	q = queue_named(m, name, len, e);
	if (q == NULL)
		return -e->code;
	q->paused = q->paused || m->pausing;
	return 0;
}

static bool
is_day(const char *text)
{
	for (int i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? text[i] != '-'
				     : text[i] < '0' || text[i] > '9')
			return false;
	return text[10] == '\0';
}

/* "processed", "failures", and both with ":" and a day. */
static bool
is_counter(const char *key)
{
	static const char *const kinds[] = { "processed", "failures" };

	for (int i = 0; i < 2; i++) {
		size_t n = strlen(kinds[i]);

		if (strncmp(key, kinds[i], n) == 0 &&
		    (key[n] == '\0' || (key[n] == ':' && is_day(key + n + 1))))
			return true;
	}
	return false;
}

static int
add_counter(struct making *m, const char *key, struct err *e)
{
	struct plan *p = m->plan;
	struct plan_counter *c;
	int r = remember(m->counters, key);

	if (r != 0)
		return r < 0 ? short_of_memory(e) : 0;
	if (p->ncounters >= PLAN_COUNTERS_MAX)
		return err_set(
		    e, EINVAL, "more than %d counters", PLAN_COUNTERS_MAX);
	if (p->ncounters % 64 == 0) {
		c = reallocarray(p->counters, p->ncounters + 64, sizeof *c);
		if (c == NULL)
			return short_of_memory(e);
		p->counters = c;
	}
	c = &p->counters[p->ncounters++];
	snprintf(c->name, sizeof c->name, "%s", key);
	return source_number(m->source, key, &c->value, e);
}

static int
add_list(struct making *m, const char *key, struct err *e)
{
	enum plan_layout layout =
	    strncmp(key, "q:", 2) == 0 ? LAYOUT_NEW : LAYOUT_OLD;
	const char *name = layout == LAYOUT_NEW ? key + 2 : key;
	struct plan_queue *q;

	if (!job_queue_name_ok(name, strlen(name)))
		return leave(m, key, e);
	q = queue_named(m, name, strlen(name), e);
	if (q == NULL)
		return -e->code;
	return source_size(m->source, key, SOURCE_LIST, &q->sizes[layout], e);
}

static int
add_set(struct making *m, const char *key, struct err *e)
{
	for (int i = 0; i < PLAN_SETS; i++)
		if (strcmp(key, sets[i].name) == 0)
			return source_size(m->source, key, SOURCE_SORTED,
			    &m->plan->sets[i].there, e);
	return leave(m, key, e);
}

static int
on_key(void *ctx, const char *key, enum source_type type, struct err *e)
{
	struct making *m = ctx;

	switch (type) {
	case SOURCE_LIST:
		return add_list(m, key, e);
	case SOURCE_SORTED:
		return add_set(m, key, e);
	case SOURCE_SET:
		m->pausing = strcmp(key, "paused") == 0;
		if (!m->pausing && strcmp(key, "queues") != 0)
			return leave(m, key, e);
		return source_members(m->source, key, on_name, m, e);
	case SOURCE_STRING:
		if (is_counter(key))
			return add_counter(m, key, e);
		/* The version of the data: the layout is looked at instead. */
		return strcmp(key, "v") == 0 ? 0 : leave(m, key, e);
	case SOURCE_OTHER:
		break;
	}
	return leave(m, key, e);
}

/* ---- made ------------------------------------------------------------------------ */

static int
by_name(const void *a, const void *b)
{
	const struct plan_queue *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* From the map into the plan, which owns them from here on. */
static int
sort_queues(struct making *m, struct err *e)
{
	struct plan *p = m->plan;
	size_t cursor = 0;
	struct plan_queue *q;

	p->queues =
	    calloc(map_count(m->queues) + 1, sizeof(struct plan_queue *));
	if (p->queues == NULL)
		return short_of_memory(e);
	while ((q = map_next(m->queues, &cursor)) != NULL) {
		q->count.there = q->sizes[LAYOUT_OLD] + q->sizes[LAYOUT_NEW];
		p->queues[p->nqueues++] = q;
	}
	map_clear(m->queues);
	qsort(p->queues, p->nqueues, sizeof(struct plan_queue *), by_name);
	return 0;
}

static void
free_queue(void *value)
{
	struct plan_queue *q = value;

	free(q->name);
	free(q);
}

static void
free_map(struct map *m, void (*free_value)(void *value))
{
	size_t cursor = 0;
	void *value;

	if (m == NULL)
		return;
	while ((value = map_next(m, &cursor)) != NULL)
		free_value(value);
	map_free(m);
}

struct plan *
plan_make(struct source *s, struct err *e)
{
	struct making m = { .source = s };
	int r;

	m.plan = calloc(1, sizeof *m.plan);
	m.queues = map_new();
	m.counters = map_new();
	m.left = map_new();
	if (m.plan == NULL || m.queues == NULL || m.counters == NULL ||
	    m.left == NULL) {
		(void)short_of_memory(e);
		r = -ENOMEM;
	} else {
		r = source_keys(s, on_key, &m, e);
		if (r == 0)
			r = sort_queues(&m, e);
	}
	free_map(m.queues, free_queue);
	free_map(m.counters, free);
	free_map(m.left, free);
	if (r == 0)
		return m.plan;
	plan_free(m.plan);
	return NULL;
}

void
plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nqueues; i++)
		free_queue(p->queues[i]);
	for (size_t i = 0; i < PLAN_LEFT_SHOWN; i++)
		free(p->left[i]);
	free(p->queues);
	free(p->counters);
	free(p);
}

struct plan_queue *
plan_queue(const struct plan *p, const char *name)
{
	struct plan_queue wanted = { .name = (char *)(uintptr_t)name };
	const struct plan_queue *key = &wanted;
	struct plan_queue **found = bsearch(
	    &key, p->queues, p->nqueues, sizeof(struct plan_queue *), by_name);

	return found != NULL ? *found : NULL;
}

static bool
same_queue(const struct plan_queue *a, const struct plan_queue *b)
{
	return strcmp(a->name, b->name) == 0 && a->paused == b->paused &&
	    a->sizes[LAYOUT_OLD] == b->sizes[LAYOUT_OLD] &&
	    a->sizes[LAYOUT_NEW] == b->sizes[LAYOUT_NEW];
}

/* What has changed from a to b; NULL: nothing. Borrowed from a. */
static const char *
difference(const struct plan *a, const struct plan *b)
{
	for (int i = 0; i < PLAN_SETS; i++)
		if (a->sets[i].there != b->sets[i].there)
			return sets[i].name;
	if (a->nqueues != b->nqueues)
		return "queues";
	for (size_t i = 0; i < a->nqueues; i++)
		if (!same_queue(a->queues[i], b->queues[i]))
			return a->queues[i]->name;
	return NULL;
}

int
plan_still_holds(const struct plan *p, struct source *s, struct err *e)
{
	struct plan *now = plan_make(s, e);
	int r = 0;

	if (now == NULL)
		return -e->code;
	const char *changed = difference(p, now);
	if (changed != NULL)
		r = err_set(e, EAGAIN, "%s changed while it was read", changed);
	plan_free(now);
	return r;
}
