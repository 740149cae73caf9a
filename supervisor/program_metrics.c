/*
 * program_metrics - series in the order of their names, found by a map.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/program_metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "config/metric_names.h"
#include "protocol/job.h"

/* The name, a line end, the jobtype: neither has a line end. */
enum { KEY_MAX = METRIC_NAME_MAX + 1 + JOB_JOBTYPE_MAX + 1 };

struct series {
	char *key;           /* in the map; owned */
	const char *jobtype; /* within it */
	char *name;          /* owned */
	bool gauge;
	bool reported;
	double value;
};

struct program_metrics {
	struct series *of[PROGRAM_SERIES_MAX]; /* sorted by name */
	size_t count;
	struct map *index; /* by key */
	bool full;         /* told */
};

struct program_metrics *
program_metrics_new(void)
{
	struct program_metrics *p = calloc(1, sizeof *p);

	if (p != NULL && (p->index = map_new()) == NULL) {
		free(p);
		p = NULL;
	}
	return p;
}

static void
free_series(struct series *s)
{
	if (s == NULL)
		return;
	free(s->key);
	free(s->name);
	free(s);
}

void
program_metrics_free(struct program_metrics *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		free_series(p->of[i]);
	map_free(p->index);
	free(p);
}

/* Returns its length; a jobtype that is too long is cut like any other. */
static size_t
make_key(char key[KEY_MAX], const char *name, const char *jobtype)
{
	snprintf(key, KEY_MAX, "%s\n%s", name, jobtype);
	return strlen(key);
}

static struct series *
find(const struct program_metrics *p, const char *jobtype, const char *name)
{
	char key[KEY_MAX];
	size_t len = make_key(key, name, jobtype);

	return map_get(p->index, key, len);
}

static struct series *
new_series(const char *jobtype, const char *name)
{
	struct series *s = calloc(1, sizeof *s);
	char key[KEY_MAX];

	if (s == NULL)
		return NULL;
	(void)make_key(key, name, jobtype);
	s->key = strdup(key);
	s->name = strdup(name);
	if (s->key == NULL || s->name == NULL) {
		free_series(s);
		return NULL;
	}
	s->jobtype = s->key + strlen(name) + 1;
	return s;
}

static void
add(struct program_metrics *p, const char *jobtype, const char *name)
{
	struct series *s = NULL;
	size_t at = p->count;

	if (p->count < PROGRAM_SERIES_MAX)
		s = new_series(jobtype, name);
	if (s == NULL || map_put(p->index, s->key, strlen(s->key), s) < 0) {
		free_series(s);
		if (!p->full)
			log_say(LOG_LEVEL_WARNING, "metrics",
			    "more than %d series of programs, or memory is "
			    "short; %s of %s and others are not shown",
			    PROGRAM_SERIES_MAX, name, jobtype);
		p->full = true;
		return;
	}
	for (; at > 0 && strcmp(p->of[at - 1]->name, name) > 0; at--)
		p->of[at] = p->of[at - 1];
	p->of[at] = s;
	p->count++;
}

/* One kind for all series of a name: those of jobs that are gone, too. */
static void
set_kind(struct program_metrics *p, const struct metric_name *to)
{
	for (size_t i = 0; i < p->count; i++) {
		struct series *s = p->of[i];

		if (s->gauge == to->gauge || strcmp(s->name, to->name) != 0)
			continue;
		s->gauge = to->gauge;
		s->reported = false;
		s->value = 0.;
	}
}

void
program_metrics_know(struct program_metrics *p, const struct settings *s)
{
	for (size_t i = 0; i < s->nhandlers; i++) {
		const struct handler *h = &s->handlers[i];

		for (size_t k = 0; h->metrics != NULL && k < h->metrics->count;
		     k++) {
			const struct metric_name *own = &h->metrics->of[k];

			if (find(p, h->jobtype, own->name) == NULL)
				add(p, h->jobtype, own->name);
			set_kind(p, own);
		}
	}
}

int
program_metrics_report(struct program_metrics *p, const char *jobtype,
    const char *name, double value)
{
	struct series *s = find(p, jobtype, name);

	if (s == NULL)
		return -ENOENT;
	if (!s->gauge && value < 0.)
		return -EINVAL;
	if (s->gauge)
		s->value = value;
	else if (isfinite(s->value + value))
		s->value += value;
	s->reported = true;
	return 0;
}

bool
program_metrics_next(
    const struct program_metrics *p, size_t *cursor, struct program_series *out)
{
	while (*cursor < p->count) {
		const struct series *s = p->of[(*cursor)++];

		if (s->gauge && !s->reported)
			continue; /* nobody knows where it stands */
		*out = (struct program_series){ s->name, s->jobtype, s->gauge,
			s->value };
		return true;
	}
	return false;
}
