/*
 * settings - the supervisor's configuration, checked and typed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "config/companions.h"
#include "config/control_settings.h"
#include "config/grants.h"
#include "config/handler.h"
#include "config/handler_queues.h"
#include "config/http_settings.h"
#include "config/metric_names.h"
#include "config/queue_limits.h"
#include "config/secret.h"
#include "config/settings_draft.h"
#include "config/settings_fields.h"
#include "config/sources.h"
#include "config/tls_settings.h"
#include "config/units.h"
#include "config/unknown.h"

static const char *
scalar_text(const struct node *n)
{
	return n != NULL && n->kind == NODE_SCALAR ? n->text : NULL;
}

static void
read_all_jobs(
    struct reader *r, struct settings_draft *d, const struct handler_context *c)
{
	struct settings *s = &d->s;
	const struct node *jobs = d->jobs;

	field_no_repeats(r, jobs, "jobs.");
	s->handlers = calloc(jobs->count, sizeof *s->handlers);
	s->index = map_new();
	if (s->handlers == NULL || s->index == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < jobs->count; i++) {
		struct handler *h = &s->handlers[s->nhandlers++];

		handler_read(r, jobs->keys[i], jobs->items[i], c, h);
		/* A repeated jobtype has been told. */
		if (h->jobtype != NULL &&
		    map_put(s->index, h->jobtype, strlen(h->jobtype), h) ==
			-ENOMEM)
			reader_no_memory(r);
	}
}

static void
read_jobs(struct reader *r, struct settings_draft *d)
{
	const char *expected = "at least one jobtype below it";
	const struct node *password = node_get(d->root, "password");
	struct handler_context c = {
		.path = d->s.path != NULL ? d->s.path : "/usr/bin:/bin",
		.whole_way = d->s.whole_way,
		.secrets = { r->lookup("FAKTORY_PROVIDER"),
		    password != NULL ? scalar_text(node_get(password, "env"))
				     : NULL },
	};

	if (d->defaults != NULL &&
	    reader_wants(r, d->defaults, NODE_MAPPING, "defaults", "a mapping"))
		c.defaults = d->defaults;
	handler_check_defaults(r, &c);

	if (d->jobs == NULL)
		reader_complain(
		    r, d->root->at, "jobs: missing, expected %s", expected);
	else if (reader_wants(r, d->jobs, NODE_MAPPING, "jobs", expected) &&
	    d->jobs->count == 0)
		reader_complain(
		    r, d->jobs->at, "jobs: empty, expected %s", expected);
	else if (d->jobs->kind == NODE_MAPPING) {
		read_all_jobs(r, d, &c);
		if (r->count == 0)
			companions_check_defaults(r, c.defaults, &d->s);
	}
}

/* Where a handler's grace was set: its own, the defaults', else ours. */
static struct mark
grace_mark(const struct settings_draft *d, size_t i)
{
	const struct node *groups[] = { d->jobs->items[i], d->defaults,
		node_get(d->root, "shutdown") };

	for (size_t k = 0; k < sizeof groups / sizeof groups[0]; k++) {
		const struct node *n =
		    groups[k] != NULL ? node_get(groups[k], "grace") : NULL;
		if (n != NULL)
			return n->at;
	}
	return d->s.handlers[i].at;
}

/*
 * A program must be able to end within its own grace before the supervisor
 * has to: two nested times, the inner one never the longer.
 */
static void
check_graces(struct reader *r, const struct settings_draft *d)
{
	char own[UNITS_SHOWN_MAX], ours[UNITS_SHOWN_MAX];

	units_show_duration(d->s.shutdown_grace, ours);
	for (size_t i = 0; i < d->s.nhandlers; i++) {
		const struct handler *h = &d->s.handlers[i];

		if (h->grace <= d->s.shutdown_grace)
			continue;
		units_show_duration(h->grace, own);
		reader_complain(r, grace_mark(d, i),
		    "jobs.%.100s.grace: %s is "
		    "longer than shutdown.grace, expected at most %s",
		    h->jobtype, own, ours);
	}
}

static void
read_root(struct reader *r, struct settings_draft *d)
{
	struct field_given given = { 0 };

	field_read(r, d->root, "", settings_fields, &given, d);
	field_defaults(r, "", settings_fields, &given, d);
	if (node_get(d->root, "password") != NULL)
		d->s.password_at = node_get(d->root, "password")->at;
	else
		d->s.password = secret_credential(r);
	d->s.password_file = secret_file(r, node_get(d->root, "password"));
	if (node_get(d->root, "tmpdir") != NULL)
		d->s.tmpdir_at = node_get(d->root, "tmpdir")->at;
	if (node_get(d->root, "state_dir") != NULL)
		d->s.state_dir_at = node_get(d->root, "state_dir")->at;
	tls_settings_check(r, node_get(d->root, "tls"), &d->s.tls);
	control_settings_marks(node_get(d->root, "control"), &d->s);
	http_settings_check(r, node_get(d->root, "http"), &d->s);
	queue_limits_read(r, d->queue_limits, &d->s);
	read_jobs(r, d);
	if (node_get(d->root, "unknown") != NULL && d->s.index != NULL)
		unknown_check(r, node_get(d->root, "unknown")->at, &d->s);
	handler_queues_check(r, &d->s);
	metric_names_check(r, &d->s);
	grants_check(r, &d->s);
	if (r->count == 0)
		check_graces(r, d);
}

/* The names stay with the settings: their marks refer to them. */
static int
keep_names(struct settings *s, const struct sources *src)
{
	s->file = strdup(src->name);
	s->files = calloc(src->nfiles + 1, sizeof *s->files);
	if (s->file == NULL || s->files == NULL)
		return -ENOMEM;
	for (; s->nfiles < src->nfiles; s->nfiles++) {
		s->files[s->nfiles] = strdup(src->files[s->nfiles].name);
		if (s->files[s->nfiles] == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct settings *
settings_make(const struct sources *src,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx)
{
	struct settings_draft *d = calloc(1, sizeof *d);

	if (d == NULL || keep_names(&d->s, src) < 0) {
		tell(ctx, "not enough memory");
		settings_free(d != NULL ? &d->s : NULL);
		return NULL;
	}
	struct reader r = {
		.file = d->s.file, .files = d->s.files, .lookup = lookup
	};
	struct node *root = sources_tree(src, &r);
	if (root != NULL) {
		d->root = root;
		read_root(&r, d);
		document_free(root);
	}

	/* The settings are the first member: the rest is left to them. */
	if (reader_finish(&r, tell, ctx) == 0)
		return &d->s;
	settings_free(&d->s);
	return NULL;
}

struct settings *
settings_read(const char *file, const char *text, size_t len,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx)
{
	/* Only read: nothing of it is freed or changed. */
	struct source one = { (char *)(uintptr_t)file, (char *)(uintptr_t)text,
		len };
	const struct sources src = {
		.name = one.name, .files = &one, .nfiles = 1
	};

	return settings_make(&src, lookup, tell, ctx);
}

struct settings *
settings_load(const char *path, const char *(*lookup)(const char *name),
    settings_tell *tell, void *ctx)
{
	struct sources src;
	struct err e = { 0 };

	if (sources_load(&src, path, &e) < 0) {
		tell(ctx, e.text);
		return NULL;
	}
	struct settings *s = settings_make(&src, lookup, tell, ctx);
	sources_clear(&src);
	return s;
}

const char *
settings_place(
    const struct settings *s, struct mark at, char out[SETTINGS_PLACE_MAX])
{
	snprintf(out, SETTINGS_PLACE_MAX, "%.*s:%zu:%zu",
	    SETTINGS_PLACE_MAX - 48,
	    at.file < s->nfiles ? s->files[at.file] : s->file, at.line,
	    at.column);
	return out;
}

struct queue_setting *
settings_queue(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->nqueues; i++)
		if (strcmp(s->queues[i].name, name) == 0)
			return &s->queues[i];
	return NULL;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nhandlers; i++)
		handler_clear(&s->handlers[i]);
	for (size_t i = 0; i < s->nqueues; i++)
		free(s->queues[i].name);
	for (size_t i = 0; i < s->nlabels; i++)
		free(s->labels[i]);
	free(s->handlers);
	map_free(s->index);
	free(s->queues);
	free(s->labels);
	for (size_t i = 0; i < s->nfiles; i++)
		free(s->files[i]);
	free(s->files);
	free(s->file);
	for (size_t i = 0; i < s->nservers; i++)
		free(s->servers[i]);
	free(s->servers);
	free(s->servers_at);
	if (s->password != NULL)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	free(s->password_file);
	tls_settings_clear(&s->tls);
	free(s->path);
	free(s->tmpdir);
	free(s->state_dir);
	free(s->unknown_jobtype);
	free(s->http_listen);
	free(s->control_socket);
	free(s->control_group);
	free(s);
}

const struct handler *
settings_handler(const struct settings *s, const char *jobtype, size_t len)
{
	return map_get(s->index, jobtype, len);
}

const struct handler *
settings_choose(const struct settings *s, const char *jobtype, size_t len)
{
	const struct handler *own = settings_handler(s, jobtype, len);

	return own != NULL ? own : s->unknown_handler;
}
