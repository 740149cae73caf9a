/*
 * snapshot - what a supervisor says of itself and its jobs at one moment.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cli/call.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

/* Values lie in text, which moves while it grows: places, not pointers. */
struct place {
	size_t at, len;
};

struct gathering {
	struct buf *text;
	struct place supervisor;
	struct place *jobs; /* owned array */
	size_t njobs, room;
	size_t left_out;
};

static int
keep(struct gathering *g, const struct json *value, struct place *place)
{
	*place = (struct place){ buf_len(g->text), value->len };
	return buf_append(g->text, value->text, value->len);
}

static int
keep_job(struct gathering *g, const struct json *job)
{
	if (g->njobs == g->room) {
		size_t room = g->room > 0 ? 2 * g->room : 64;
		struct place *more =
		    reallocarray(g->jobs, room, sizeof *g->jobs);

		if (more == NULL)
			return -ENOMEM;
		g->jobs = more;
		g->room = room;
	}
	int r = keep(g, job, &g->jobs[g->njobs]);
	if (r == 0)
		g->njobs++;
	return r;
}

static int
on_line(void *ctx, const struct json *object)
{
	struct gathering *g = ctx;
	const struct json job = json_get(object, "job");
	const struct json supervisor = json_get(object, "supervisor");
	double left_out = call_number(object, "left_out");
	int r = 0;

	if (job.kind == JSON_OBJECT)
		r = keep_job(g, &job);
	else if (supervisor.kind == JSON_OBJECT)
		r = keep(g, &supervisor, &g->supervisor);
	if (left_out > 0)
		g->left_out = (size_t)left_out;
	return r < 0 ? EX_OSERR : 0;
}

static struct json
value_at(const char *text, struct place place)
{
	return (struct json){ JSON_OBJECT, text + place.at, place.len };
}

static int
settle(struct snapshot *s, const struct gathering *g)
{
	size_t len = buf_len(g->text);

	s->text = malloc(len + 1);
	s->jobs = calloc(g->njobs + 1, sizeof *s->jobs);
	if (s->text == NULL || s->jobs == NULL) {
		snapshot_clear(s);
		return EX_OSERR;
	}
	memcpy(s->text, buf_front(g->text), len);
	s->text[len] = '\0';
	s->supervisor = value_at(s->text, g->supervisor);
	for (; s->njobs < g->njobs; s->njobs++)
		s->jobs[s->njobs] = value_at(s->text, g->jobs[s->njobs]);
	s->left_out = g->left_out;
	return EX_OK;
}

int
snapshot_take(const struct call_options *o, struct snapshot *s)
{
	struct gathering g = { .text = buf_new(TEXT_MAX) };
	struct call c = { .options = o,
		.request = "{\"request\":\"status\"}",
		.line = on_line,
		.ctx = &g };
	int status = EX_OSERR;

	*s = (struct snapshot){ 0 };
	if (g.text != NULL)
		status = call_make(&c);
	if (status == EX_OK && g.supervisor.len == 0)
		status = EX_PROTOCOL;
	if (status == EX_OK)
		status = settle(s, &g);
	if (status == EX_OSERR)
		fprintf(stderr, "faktotum %s: out of memory\n", o->verb);
	buf_free(g.text);
	free(g.jobs);
	return status;
}

void
snapshot_clear(struct snapshot *s)
{
	free(s->text);
	free(s->jobs);
	*s = (struct snapshot){ 0 };
}

/*
 * JSON may hold DEL and the control characters U+0080 to U+009F as they are;
 * they stand in strings only, where an escape means the same.
 */
void
snapshot_put_plain(const struct json *value, FILE *out)
{
	const unsigned char *s = (const unsigned char *)value->text;
	size_t n = value->len;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == 0x7f)
			fputs("\\u007f", out);
		else if (s[i] == 0xc2 && i + 1 < n && s[i + 1] < 0xa0)
			fprintf(out, "\\u00%02x", s[++i]);
		else
			putc(s[i], out);
	}
}

void
snapshot_put_json(const struct snapshot *s, FILE *out)
{
	fputs("{\"supervisor\":", out);
	snapshot_put_plain(&s->supervisor, out);
	fputs(",\"jobs\":[", out);
	for (size_t i = 0; i < s->njobs; i++) {
		if (i > 0)
			putc(',', out);
		snapshot_put_plain(&s->jobs[i], out);
	}
	fprintf(out, "],\"left_out\":%zu}\n", s->left_out);
}
