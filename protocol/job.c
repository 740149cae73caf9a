/*
 * job - a job: checked fields beside the original bytes.
 *
 * This file reads; job_put.c writes.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/utf8.h"
#include "protocol/job_backoff.h"
#include "protocol/job_fields.h"

enum { QUOTED_MAX = 128 };

int
job_parse(const char *text, size_t len, struct job *j, struct err *e)
{
	struct json_fault fault;
	struct json object;

	if (json_check(text, len, &object, &fault) < 0)
		return err_set(e, EINVAL, "invalid JSON: %s at byte %zu",
		    fault.why, fault.at);
	return job_read(&object, j, e);
}

static int
wrong(struct err *e, const char *name, const char *kind)
{
	return err_set(e, EINVAL, "invalid JSON: %s must be %s", name, kind);
}

static int
read_int(const struct json *value, const char *name, int64_t absent,
    int64_t *out, struct err *e)
{
	*out = absent;
	if (value->kind == JSON_NONE)
		return 0;
	return json_int(value, out) < 0 ? wrong(e, name, "an integer") : 0;
}

/* Points at the text, for now with its escapes; decode_all() mends them. */
static int
read_text(const struct json *value, const char *name, struct job_text *out,
    struct err *e)
{
	if (value->kind == JSON_NONE)
		return 0;
	if (value->kind != JSON_STRING)
		return wrong(e, name, "a string");
	out->bytes = value->text + 1;
	out->len = value->len - 2;
	return 0;
}

static int
read_container(const struct json *value, const char *name, enum json_kind kind,
    struct json *out, struct err *e)
{
	if (value->kind == JSON_NONE)
		return 0;
	if (value->kind != kind)
		return wrong(
		    e, name, kind == JSON_ARRAY ? "an array" : "an object");
	*out = *value;
	return 0;
}

static int
read_failure(const struct json *value, struct job_failure *f, struct err *e)
{
	struct json at, count, left;

	int r = read_container(value, "failure", JSON_OBJECT, &f->object, e);
	if (r < 0 || value->kind == JSON_NONE)
		return r;
	f->present = true;
	at = field_get(value, "failed_at");
	count = field_get(value, "retry_count");
	left = field_get(value, "remaining");
	r = read_text(&at, "failure.failed_at", &f->failed_at, e);
	if (r == 0)
		r = read_int(
		    &count, "failure.retry_count", 0, &f->retry_count, e);
	if (r == 0)
		r = read_int(&left, "failure.remaining", 0, &f->remaining, e);
	return r;
}

static int
read_texts(const struct json v[], struct job *j, struct err *e)
{
	int r = read_text(&v[JOB_JID], "jid", &j->jid, e);

	if (r == 0)
		r = read_text(&v[JOB_JOBTYPE], "jobtype", &j->jobtype, e);
	if (r == 0)
		r = read_text(&v[JOB_QUEUE], "queue", &j->queue, e);
	if (r == 0)
		r = read_text(&v[JOB_AT], "at", &j->at_text, e);
	if (r == 0)
		r = read_text(
		    &v[JOB_CREATED_AT], "created_at", &j->created_at, e);
	if (r == 0)
		r = read_text(
		    &v[JOB_ENQUEUED_AT], "enqueued_at", &j->enqueued_at, e);
	return r;
}

static int
read_rest(const struct json v[], struct job *j, struct err *e)
{
	int r = read_container(&v[JOB_ARGS], "args", JSON_ARRAY, &j->args, e);

	if (r == 0)
		r = read_container(
		    &v[JOB_CUSTOM], "custom", JSON_OBJECT, &j->custom, e);
	if (r == 0)
		r = read_int(
		    &v[JOB_RETRY], "retry", JOB_RETRY_DEFAULT, &j->retry, e);
	if (r == 0)
		r = read_int(
		    &v[JOB_RESERVE_FOR], "reserve_for", 0, &j->reserve_for, e);
	if (r == 0)
		r = read_int(
		    &v[JOB_BACKTRACE], "backtrace", 0, &j->backtrace, e);
	if (r == 0)
		r = read_failure(&v[JOB_FAILURE], &j->failure, e);
	return r;
}

/* Texts with escapes move into scratch, decoded; the others stay. */
static int
decode_all(struct job *j, struct err *e)
{
	struct job_text *const texts[] = { &j->jid, &j->jobtype, &j->queue,
		&j->at_text, &j->created_at, &j->enqueued_at,
		&j->failure.failed_at };
	enum { N = sizeof texts / sizeof texts[0] };
	bool escaped[N];
	size_t need = 0;

	for (size_t i = 0; i < N; i++) {
		const struct job_text *t = texts[i];

		escaped[i] =
		    t->bytes != NULL && memchr(t->bytes, '\\', t->len) != NULL;
		if (escaped[i])
			need += t->len;
	}
	if (need == 0)
		return 0;
	j->scratch = malloc(need);
	if (j->scratch == NULL)
		return err_set(e, ENOMEM, "out of memory");

	char *at = j->scratch;
	for (size_t i = 0; i < N; i++) {
		struct job_text *t = texts[i];

		if (!escaped[i])
			continue;
		struct json string = { JSON_STRING, t->bytes - 1, t->len + 2 };
		/* Cannot fail: decoded text is never longer. */
		ssize_t n = json_decode_string(&string, at, t->len);
		t->bytes = at;
		t->len = (size_t)n;
		at += n;
	}
	return 0;
}

int
job_read(const struct json *object, struct job *j, struct err *e)
{
	static const char standard_queue[] = "default";
	struct job read = { .object = *object };

	if (object->kind != JSON_OBJECT)
		return err_set(
		    e, EINVAL, "invalid JSON: a job must be an object");
	job_fields_collect(object, read.members);

	int r = read_texts(read.members, &read, e);
	if (r == 0)
		r = read_rest(read.members, &read, e);
	if (r == 0)
		r = decode_all(&read, e);
	if (r < 0)
		return r;

	if (read.queue.len == 0) {
		read.queue.bytes = standard_queue;
		read.queue.len = strlen(standard_queue);
	}
	read.has_at = read.at_text.len > 0 &&
	    timestamp_parse(read.at_text.bytes, read.at_text.len, &read.at) ==
		0;
	*j = read;
	return 0;
}

void
job_clear(struct job *j)
{
	free(j->scratch);
	*j = (struct job){ 0 };
}

bool
job_queue_name_ok(const char *name, size_t len)
{
	if (len == 0 || len > JOB_QUEUE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '_' ||
			c == '-'))
			return false;
	}
	return true;
}

/* As much of a client's text as a message repeats. */
static int
quoted(const struct job_text *t)
{
	return (int)utf8_cut(t->bytes, t->len, QUOTED_MAX);
}

static int
check_queue(const struct job *j, struct err *e)
{
	if (job_queue_name_ok(j->queue.bytes, j->queue.len))
		return 0;
	if (j->queue.len > JOB_QUEUE_MAX)
		return err_set(e, EINVAL,
		    "cannot get \"%.*s\" queue: queue names have at most %d "
		    "bytes",
		    quoted(&j->queue), j->queue.bytes, JOB_QUEUE_MAX);
	return err_set(e, EINVAL,
	    "cannot get \"%.*s\" queue: queue names must match "
	    "\\A[a-zA-Z0-9._-]+\\z",
	    quoted(&j->queue), j->queue.bytes);
}

/* "\u0000" would end the text early wherever it is handed on as a string. */
static bool
has_nul(const struct job_text *t)
{
	return memchr(t->bytes, '\0', t->len) != NULL;
}

int
job_check(const struct job *j, struct err *e)
{
	if (j->jid.len < JOB_JID_MIN || j->jid.len > JOB_JID_MAX ||
	    has_nul(&j->jid))
		return err_set(
		    e, EINVAL, "jobs must have a reasonable jid parameter");
	if (j->jobtype.len == 0)
		return err_set(e, EINVAL, "jobs must have a jobtype parameter");
	if (j->jobtype.len > JOB_JOBTYPE_MAX)
		return err_set(e, EINVAL,
		    "jobs must have a jobtype parameter of at most %d bytes",
		    JOB_JOBTYPE_MAX);
	if (has_nul(&j->jobtype))
		return err_set(e, EINVAL,
		    "jobs must have a jobtype parameter without NUL");
	if (j->args.kind == JSON_NONE)
		return err_set(e, EINVAL, "jobs must have an args parameter");
	if (j->reserve_for > JOB_RESERVE_MAX)
		return err_set(
		    e, EINVAL, "jobs cannot be reserved for more than one day");
	if (j->at_text.len > 0 && !j->has_at)
		return err_set(e, EINVAL,
		    "invalid timestamp for 'at': \"%.*s\": expected a moment "
		    "like 2026-11-23T21:56:35Z, of the years 1678 to 2261",
		    quoted(&j->at_text), j->at_text.bytes);
	if (job_backoff_check(&j->custom, e) < 0)
		return -EINVAL;
	return check_queue(j, e);
}

int64_t
job_reservation(const struct job *j)
{
	if (j->reserve_for == 0)
		return JOB_RESERVE_DEFAULT;
	if (j->reserve_for < JOB_RESERVE_MIN)
		return JOB_RESERVE_MIN;
	if (j->reserve_for > JOB_RESERVE_MAX)
		return JOB_RESERVE_MAX;
	return j->reserve_for;
}
