/*
 * handler - one jobtype's settings: what runs, how it is fed and limited.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/breaker_settings.h"
#include "config/companions.h"
#include "config/grants.h"
#include "config/handler_draft.h"
#include "config/handler_env.h"
#include "config/handler_queues.h"
#include "config/job_files.h"
#include "config/metric_names.h"
#include "config/patterns.h"

void
handler_check_defaults(struct reader *r, const struct handler_context *c)
{
	struct handler_draft d = { 0 };
	struct field_given given = { 0 };

	if (c->defaults != NULL)
		field_read(r, c->defaults, "defaults.",
		    handler_fields + HANDLER_OWN, &given, &d);
	handler_clear(&d.h);
}

static void
read_rows(struct reader *r, const struct node *job, const char *prefix,
    const struct handler_context *c, struct handler_draft *d)
{
	struct field_given given = { 0 }, shared = { 0 };

	/*
	 * The defaults are read again for each job, so that each owns what it
	 * has; their mistakes have been told by handler_check_defaults().
	 */
	if (c->defaults != NULL) {
		r->muted = true;
		field_read(r, c->defaults, "defaults.",
		    handler_fields + HANDLER_OWN, &shared, d);
		r->muted = false;
	}
	for (size_t i = HANDLER_OWN; i < FIELD_ROWS_MAX; i++)
		given.row[i] = shared.row[i - HANDLER_OWN];
	field_read(r, job, prefix, handler_fields, &given, d);
	field_defaults(r, prefix, handler_fields, &given, d);
}

/* A variable that holds a password is nobody's to see. */
static void
check_secrets(struct reader *r, const struct handler_context *c,
    const char *prefix, const struct handler *h)
{
	for (size_t i = 0; i < h->nenv_pass; i++)
		for (size_t k = 0; k < 2; k++)
			if (c->secrets[k] != NULL &&
			    strcmp(h->env_pass[i], c->secrets[k]) == 0)
				reader_complain(r, h->at,
				    "%senv_pass: %s holds the "
				    "server's password, expected another "
				    "variable",
				    prefix, h->env_pass[i]);
}

void
handler_read(struct reader *r, const struct node *jobtype,
    const struct node *job, const struct handler_context *c, struct handler *h)
{
	struct handler_draft d = { 0 };
	size_t before = r->count;
	char name[FIELD_NAME_MAX], prefix[FIELD_NAME_MAX], env[FIELD_NAME_MAX];

	snprintf(name, sizeof name, "jobs.%.100s", jobtype->text);
	snprintf(prefix, sizeof prefix, "jobs.%.100s.", jobtype->text);
	snprintf(env, sizeof env, "jobs.%.100s.env", jobtype->text);
	d.h.at = jobtype->at;
	d.h.jobtype = strdup(jobtype->text);
	if (d.h.jobtype == NULL) {
		reader_no_memory(r);
		return;
	}
	if (*d.h.jobtype == '\0')
		reader_complain(
		    r, jobtype->at, "jobs: an empty name, expected a jobtype");
	if (reader_wants(
		r, job, NODE_MAPPING, name, "a mapping with exec or shell")) {
		read_rows(r, job, prefix, c, &d);
		d.argv.whole_way = c->whole_way;
		argv_read(r, &d.argv, prefix, c->path, &d.h);
		if (d.env != NULL)
			handler_env_read(r, d.env, env, &d.h);
		check_secrets(r, c, prefix, &d.h);
		if (d.h.confine.isolate != ISOLATE_NONE &&
		    d.h.leftover == LEFTOVER_WARN)
			reader_complain(r, jobtype->at,
			    "%sleftover: warn: with isolate: %s nothing "
			    "outlives the program, expected kill or wait",
			    prefix,
			    d.h.confine.isolate == ISOLATE_PROCESS
				? "process"
				: "transient-unit");
		confinement_finish(r, jobtype->at, prefix, &d.h.confine);
		breaker_settings_check(r, prefix, &d.h);
		if (!d.h.control && d.h.stall_timeout > 0)
			reader_complain(r, jobtype->at,
			    "%sstall_timeout: a program without messages shows "
			    "no sign of life, expected control: on",
			    prefix);
		/* One that is wrong is not there; that has been told. */
		if (r->count == before)
			companions_check_job(r, job, prefix, &d.h);
	}
	*h = d.h;
}

void
handler_clear(struct handler *h)
{
	for (size_t i = 0; i < h->nargv; i++)
		template_free(h->argv[i]);
	free(h->argv);
	free(h->argv_at);
	free(h->jobtype);
	free(h->program);
	free(h->cwd);
	free(h->output.dir);
	handler_env_clear(h);
	confinement_clear(&h->confine);
	handler_queues_clear(h);
	job_files_free(h->files);
	h->files = NULL;
	grants_free(h->credentials);
	h->credentials = NULL;
	metric_names_free(h->metrics);
	h->metrics = NULL;
	patterns_free(h->redact);
	h->redact = NULL;
}
