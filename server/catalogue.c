/*
 * catalogue - jobtypes and the schemas of their args.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/utf8.h"
#include "server/schema/schema.h"

/* For the jobs of one command: some 20 ms, and more for long commands. */
#define EFFORT_LEAST    UINT64_C(200000)
#define EFFORT_PER_BYTE 4

/* A noisy client makes one line a second and jobtype. */
struct noise {
	int64_t last; /* mono; when something was logged */
	uint64_t count;
};

struct known {
	struct schema *args; /* NULL: any */
	enum jobtype_mode mode;
	struct noise noise;
	char name[];
};

struct catalogue {
	struct map *jobtypes; /* NULL: every job fits */
	enum jobtype_mode unknown;
	struct noise noise;
	uint64_t counts[UNFITS][2];
};

struct catalogue *
catalogue_new(void)
{
	return calloc(1, sizeof(struct catalogue));
}

static void
known_free(struct known *k)
{
	schema_free(k->args);
	free(k);
}

static void
jobtypes_free(struct map *jobtypes)
{
	size_t cursor = 0;
	struct known *k;

	if (jobtypes == NULL)
		return;
	while ((k = map_next(jobtypes, &cursor)) != NULL)
		known_free(k);
	map_free(jobtypes);
}

void
catalogue_free(struct catalogue *c)
{
	if (c == NULL)
		return;
	jobtypes_free(c->jobtypes);
	free(c);
}

/* ---- loading ------------------------------------------------------------ */

/* *args is NULL when there is no schema. */
static int
read_args(
    const struct jobtype_setting *setting, struct schema **args, struct err *e)
{
	const struct schema_text *t = &setting->args;
	size_t at;

	*args = NULL;
	if (t->file == NULL)
		return 0;
	*args = schema_new(t->json, t->len, &at, e);
	if (*args != NULL)
		return 0;
	struct mark where = schema_text_place(t, at);
	return err_wrap(e, "%s:%zu:%zu: jobtypes.%.100s.args", t->file,
	    where.line, where.column, setting->name);
}

static int
load_one(
    struct map *jobtypes, const struct jobtype_setting *setting, struct err *e)
{
	size_t len = strlen(setting->name);
	struct known *k = calloc(1, sizeof *k + len + 1);

	if (k == NULL)
		return err_set(e, ENOMEM, "out of memory");
	memcpy(k->name, setting->name, len);
	k->mode = setting->mode;
	int r = read_args(setting, &k->args, e);
	if (r < 0) {
		known_free(k);
		return r;
	}
	if (map_put(jobtypes, k->name, len, k) < 0) {
		known_free(k);
		return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

size_t
catalogue_check(const struct jobtypes *j,
    void (*tell)(void *ctx, const char *message), void *ctx)
{
	size_t wrong = 0;

	for (size_t i = 0; i < j->count; i++) {
		struct schema *args;
		struct err e;

		if (read_args(&j->each[i], &args, &e) < 0) {
			tell(ctx, e.text);
			wrong++;
		}
		schema_free(args);
	}
	return wrong;
}

int
catalogue_load(struct catalogue *c, const struct jobtypes *j, struct err *e)
{
	struct map *jobtypes = NULL;
	int r = 0;

	if (j->count > 0) {
		jobtypes = map_new();
		if (jobtypes == NULL)
			return err_set(e, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < j->count && r == 0; i++)
		r = load_one(jobtypes, &j->each[i], e);
	if (r < 0) {
		jobtypes_free(jobtypes);
		return r;
	}
	jobtypes_free(c->jobtypes);
	c->jobtypes = jobtypes;
	c->unknown = j->mode;
	return 0;
}

/* ---- judging ------------------------------------------------------------ */

uint64_t
catalogue_effort(size_t bytes)
{
	return EFFORT_LEAST + EFFORT_PER_BYTE * (uint64_t)bytes;
}

uint64_t
catalogue_count(const struct catalogue *c, enum unfit why, bool refused)
{
	return c->counts[why][refused];
}

/* NUL-terminated, for the log. */
static void
copy(const struct job_text *text, char *out, size_t cap)
{
	size_t len = text->len < cap ? text->len : cap - 1;

	memcpy(out, text->bytes, len);
	out[len] = '\0';
}

/* The schema's words and no others: what is in a job is not for the log. */
static void
tell(struct noise *noise, const struct job *job, const char *what)
{
	char jid[JOB_JID_MAX + 1], jobtype[JOB_JOBTYPE_MAX + 1];
	const struct log_tag tags[] = { { "jid", jid }, { "type", jobtype } };
	int64_t now = clock_mono();

	noise->count++;
	if (noise->last != 0 && now - noise->last < CLOCK_NS_PER_S)
		return;
	copy(&job->jid, jid, sizeof jid);
	copy(&job->jobtype, jobtype, sizeof jobtype);
	log_tagged(LOG_LEVEL_WARNING, tags, 2, "taken, but %s (%llu like it)",
	    what, (unsigned long long)noise->count);
	noise->last = now;
	noise->count = 0;
}

static int
judge_args(struct catalogue *c, struct known *k, const struct job *job,
    uint64_t *left, struct err *e)
{
	enum unfit why = UNFIT_ARGS;
	bool refused = k->mode == JOBTYPE_STRICT;
	struct schema_fault fault;
	char what[64 + POINTER_SHOWN_MAX];

	int r = schema_judge(k->args, &job->args, left, &fault);
	if (r == 0)
		return 0;
	if (r == -EINVAL) {
		snprintf(
		    what, sizeof what, "its args do not fit #%s", fault.place);
	} else {
		why = UNFIT_EFFORT;
		snprintf(what, sizeof what,
		    "its args were not held against the schema: %s",
		    r == -E2BIG ? "that takes too long" : "out of memory");
	}
	c->counts[why][refused]++;
	if (!refused) {
		tell(&k->noise, job, what);
		return 0;
	}
	if (r == -EINVAL)
		return err_set(e, EINVAL, "args%s: %s (#%s)", fault.at,
		    fault.text, fault.place);
	return err_set(e, EINVAL, "args: %s", what + strlen("its args "));
}

int
catalogue_judge(
    struct catalogue *c, const struct job *job, uint64_t *left, struct err *e)
{
	const struct job_text *name = &job->jobtype;
	bool refused = c->unknown == JOBTYPE_STRICT;
	struct known *k;

	if (c->jobtypes == NULL)
		return 0;
	k = map_get(c->jobtypes, name->bytes, name->len);
	if (k != NULL)
		return k->args != NULL ? judge_args(c, k, job, left, e) : 0;
	c->counts[UNFIT_JOBTYPE][refused]++;
	if (refused)
		return err_set(e, EINVAL,
		    "jobtype %.*s is not among the jobtypes of this server",
		    (int)utf8_cut(name->bytes, name->len, 100), name->bytes);
	tell(&c->noise, job, "its jobtype is not among the jobtypes");
	return 0;
}
