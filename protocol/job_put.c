/*
 * job_put - a job's bytes on their way to the disk and to a worker.
 *
 * Declared in protocol/job.h. Values are copied as they came.
 *
 * SPDX-License-Identifier: ISC
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/timestamp.h"
#include "protocol/job.h"
#include "protocol/job_fields.h"

static int
put_member(struct buf *out, const struct json *key, enum job_field field,
    const struct json *value)
{
	int r;

	if (field < JOB_NFIELDS) {
		r = buf_puts(out, job_field_written(field));
	} else {
		r = buf_append(out, key->text, key->len);
		if (r == 0)
			r = buf_putc(out, ':');
	}
	if (r == 0)
		r = buf_append(out, value->text, value->len);
	return r < 0 ? r : buf_putc(out, ',');
}

/* What stays of the pushed members: unknown ones too, of equals the last. */
static int
put_kept(struct buf *out, const struct json *object,
    const struct json values[JOB_NFIELDS])
{
	struct json_walk w = json_walk(object);
	struct json key, value;
	int r = 0;

	while (r == 0 && json_next_member(&w, &key, &value)) {
		enum job_field f = job_field_of(&key);

		if (f == JOB_NFIELDS ||
		    (values[f].kind != JSON_NONE &&
			values[f].text == value.text))
			r = put_member(out, &key, f, &value);
	}
	return r;
}

static int
put_defaults(
    struct buf *out, const struct json values[JOB_NFIELDS], int64_t now)
{
	char text[TIMESTAMP_MAX];
	int r = 0;

	if (values[JOB_QUEUE].kind == JSON_NONE)
		r = field_put_text(out, "queue", "default");
	if (r == 0 && values[JOB_RETRY].kind == JSON_NONE)
		r = field_put_int(out, "retry", JOB_RETRY_DEFAULT);
	if (r == 0 && values[JOB_CREATED_AT].kind == JSON_NONE) {
		timestamp_format(now, text);
		r = field_put_text(out, "created_at", text);
	}
	return r;
}

/* An empty string counts as absent. */
static void
forget_empty(struct json *value)
{
	if (value->kind == JSON_STRING && value->len == 2)
		value->kind = JSON_NONE;
}

int
job_put_stored(struct buf *out, const struct job *j, int64_t now)
{
	struct json values[JOB_NFIELDS];
	size_t before = buf_len(out);

	memcpy(values, j->members, sizeof values);
	values[JOB_ENQUEUED_AT].kind = JSON_NONE;
	values[JOB_FAILURE].kind = JSON_NONE;
	forget_empty(&values[JOB_QUEUE]);
	forget_empty(&values[JOB_CREATED_AT]);

	int r = buf_putc(out, '{');
	if (r == 0)
		r = put_kept(out, &j->object, values);
	if (r == 0)
		r = put_defaults(out, values, now);
	/* There is a comma to replace: queue is always among the members. */
	if (r == 0)
		r = field_put_end(out);
	if (r < 0)
		buf_cut(out, before);
	return r;
}

int
job_put_delivery(struct buf *out, const char *stored, size_t stored_len,
    int64_t enqueued_at, const char *failure, size_t failure_len)
{
	char text[TIMESTAMP_MAX];
	size_t before = buf_len(out);

	assert(stored_len > 2 && stored[stored_len - 1] == '}');
	timestamp_format(enqueued_at, text);
	int r = buf_append(out, stored, stored_len - 1);
	if (r == 0)
		r = buf_puts(out, ",\"enqueued_at\":\"");
	if (r == 0)
		r = buf_puts(out, text);
	if (r == 0)
		r = buf_putc(out, '"');
	if (r == 0 && failure_len > 0) {
		r = buf_puts(out, ",\"failure\":");
		if (r == 0)
			r = buf_append(out, failure, failure_len);
	}
	if (r == 0)
		r = buf_putc(out, '}');
	if (r < 0)
		buf_cut(out, before);
	return r;
}

static bool
is_of_one_attempt(enum job_field f)
{
	return f == JOB_AT || f == JOB_ENQUEUED_AT || f == JOB_FAILURE;
}

int
job_put_again(struct buf *out, const struct job *j, const char *at,
    const char *failure, size_t failure_len)
{
	struct json_walk w = json_walk(&j->object);
	struct json key, value;
	size_t before = buf_len(out);
	int r = buf_putc(out, '{');

	while (r == 0 && json_next_member(&w, &key, &value)) {
		enum job_field f = job_field_of(&key);

		if (!is_of_one_attempt(f))
			r = put_member(out, &key, f, &value);
	}
	if (r == 0)
		r = field_put_text(out, "at", at);
	if (r == 0)
		r = buf_puts(out, "\"failure\":");
	if (r == 0)
		r = buf_append(out, failure, failure_len);
	if (r == 0)
		r = buf_putc(out, '}');
	if (r < 0)
		buf_cut(out, before);
	return r;
}
