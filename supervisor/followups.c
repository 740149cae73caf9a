/*
 * followups - jobs checked and completed as they come, kept as text.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/followups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/job.h"

/* What a server adds to a job, and the jid that we do: some dozen bytes. */
enum { SLACK = 512 };

static int
refuse(struct followups *f, int code, const char *why)
{
	if (f->why[0] == '\0')
		snprintf(f->why, sizeof f->why, "follow-up job %zu: %s",
		    f->asked, why);
	return code;
}

/* Puts a jid before the last '}' of what stands in b. */
static int
add_jid(struct buf *b, const char *dispatch, size_t place)
{
	const char *comma = buf_len(b) > 2 ? "," : "";

	buf_cut(b, buf_len(b) - 1);
	return buf_printf(b, "%s\"jid\":\"%s-%zu\"}", comma, dispatch, place);
}

/* The job that stands in b, whole, onto out. Returns 0, or -errno with *e. */
static int
put_whole(struct buf *out, struct buf *b, const char *dispatch, size_t place,
    struct err *e)
{
	struct job j;

	int r = job_parse(buf_front(b), buf_len(b), &j, e);
	if (r == 0 && j.jid.len == 0) {
		job_clear(&j);
		if (add_jid(b, dispatch, place) < 0)
			return err_set(e, ENOMEM, "out of memory");
		r = job_parse(buf_front(b), buf_len(b), &j, e);
	}
	if (r < 0)
		return r;
	r = job_check(&j, e);
	if (r == 0 && buf_len(out) > 0)
		r = buf_putc(out, ',');
	if (r == 0)
		r = job_put_stored(out, &j, clock_wall());
	job_clear(&j);
	return r;
}

int
followups_take(struct followups *f, const struct json *job,
    const char *dispatch, const struct followups_limits *limits)
{
	struct err e = { .text = "out of memory" };
	char why[64];

	f->asked++;
	if (f->asked > limits->count) {
		snprintf(
		    why, sizeof why, "more than push_max, %zu", limits->count);
		return refuse(f, -EINVAL, why);
	}
	if (f->jobs == NULL)
		f->jobs = buf_new(FOLLOWUPS_BYTES_MAX);
	struct buf *b = buf_new(FOLLOWUPS_BYTES_MAX + SLACK);
	if (b == NULL || f->jobs == NULL) {
		buf_free(b);
		return refuse(f, -ENOMEM, e.text);
	}
	size_t before = buf_len(f->jobs);
	int r = json_put_compact(b, job);
	if (r == 0)
		r = put_whole(f->jobs, b, dispatch, f->asked, &e);
	buf_free(b);
	if (r == 0 && buf_len(f->jobs) > limits->bytes)
		r = -ENOBUFS;
	if (r == 0)
		return 0;
	buf_cut(f->jobs, before);
	if (r == -ENOBUFS)
		return refuse(f, -EINVAL, "all together exceed push_size");
	return refuse(f, r, e.text);
}

const char *
followups_jobs(const struct followups *f, size_t *len)
{
	*len = f->jobs != NULL ? buf_len(f->jobs) : 0;
	return f->jobs != NULL ? buf_front(f->jobs) : "";
}

void
followups_save(const struct followups *f, struct state_writer *w)
{
	size_t len;
	const char *jobs = followups_jobs(f, &len);

	state_put_int(w, (int64_t)f->asked);
	state_put_text(w, f->why);
	state_put_bytes(w, jobs, len);
}

void
followups_load(struct followups *f, struct state_reader *r)
{
	size_t len;

	f->asked = (size_t)state_get_within(r, 0, INT64_MAX);
	char *why = state_get_text(r);
	if (why != NULL)
		snprintf(f->why, sizeof f->why, "%s", why);
	free(why);
	const char *jobs = state_get_bytes(r, &len);
	if (jobs == NULL || len == 0)
		return;
	f->jobs = buf_new(FOLLOWUPS_BYTES_MAX);
	if (f->jobs == NULL || buf_append(f->jobs, jobs, len) < 0)
		r->failed = true;
}

void
followups_clear(struct followups *f)
{
	buf_free(f->jobs);
	*f = (struct followups){ 0 };
}
