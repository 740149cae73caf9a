/*
 * companions - settings of a job that mean nothing without another one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/companions.h"

#include "config/metric_names.h"

static bool
has_no_unit(const struct handler *h)
{
	return h->confine.isolate != ISOLATE_UNIT;
}

static bool
has_no_priorities(const struct handler *h)
{
	return h->confine.io_class != IO_REALTIME &&
	    h->confine.io_class != IO_BEST_EFFORT;
}

static bool
kills_without_limit(const struct handler *h)
{
	return h->output_action == OUTPUT_KILL && h->output_limit == 0;
}

static bool
keeps_no_files(const struct handler *h)
{
	return h->output.dir == NULL;
}

static bool
has_no_result(const struct handler *h)
{
	return !h->control && !h->stdout_result;
}

static bool
reports_in_vain(const struct handler *h)
{
	return !h->control && h->metrics != NULL && h->metrics->count > 0;
}

static bool
cannot_ask(const struct handler *h)
{
	return h->max_timeout > 0 && !h->control;
}

static bool
need_not_ask(const struct handler *h)
{
	return h->max_timeout > 0 && h->timeout == 0;
}

static const struct companion {
	const char *group; /* NULL: of the job itself */
	const char *name;
	bool (*is_alone)(const struct handler *h);
	const char *why; /* and what is expected */
} companions[] = {
	{ NULL, "slice", has_no_unit,
	    "without a unit nothing lies in it, expected isolate: "
	    "transient-unit too" },
	{ NULL, "io_priority", has_no_priorities,
	    "only two classes have priorities, expected io_class: realtime or "
	    "best-effort too" },
	{ NULL, "output_action", kills_without_limit,
	    "kill: there is no limit to go beyond, expected output_limit too" },
	{ "output", "keep", keeps_no_files,
	    "no files are kept, expected output.dir too" },
	{ "output", "max_files", keeps_no_files,
	    "no files are kept, expected output.dir too" },
	{ "output", "max_size", keeps_no_files,
	    "no files are kept, expected output.dir too" },
	{ "output", "max_total", keeps_no_files,
	    "no files are kept, expected output.dir too" },
	{ NULL, "result_limit", has_no_result,
	    "it can give no result, expected control: on, or stdout: result" },
	{ NULL, "metrics", reports_in_vain,
	    "a program without messages reports none, expected control: on" },
	{ NULL, "max_timeout", cannot_ask,
	    "a program without messages cannot ask for it, expected control: "
	    "on" },
	{ NULL, "max_timeout", need_not_ask,
	    "no other time ends before it, expected timeout too" },
};
enum { COMPANIONS = sizeof companions / sizeof companions[0] };

static const struct node *
find(const struct companion *c, const struct node *settings)
{
	if (c->group != NULL)
		settings = node_get(settings, c->group);
	return settings != NULL ? node_get(settings, c->name) : NULL;
}

static void
complain(struct reader *r, struct mark at, const char *prefix,
    const struct companion *c)
{
	reader_complain(r, at, "%s%s%s%s: %s", prefix,
	    c->group != NULL ? c->group : "", c->group != NULL ? "." : "",
	    c->name, c->why);
}

void
companions_check_job(struct reader *r, const struct node *job,
    const char *prefix, const struct handler *h)
{
	for (size_t i = 0; i < COMPANIONS; i++) {
		const struct node *n = find(&companions[i], job);

		if (n != NULL && companions[i].is_alone(h))
			complain(r, n->at, prefix, &companions[i]);
	}
}

void
companions_check_defaults(
    struct reader *r, const struct node *defaults, const struct settings *s)
{
	for (size_t i = 0; i < COMPANIONS && defaults != NULL; i++) {
		const struct node *n = find(&companions[i], defaults);
		bool used = s->nhandlers == 0;

		for (size_t k = 0; k < s->nhandlers; k++)
			used = used || !companions[i].is_alone(&s->handlers[k]);
		if (n != NULL && !used)
			complain(r, n->at, "defaults.", &companions[i]);
	}
}
