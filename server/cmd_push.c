/*
 * cmd_push - PUSH and PUSHB.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "server/commands.h"
#include "server/parts.h"

/* ---- one job ------------------------------------------------------------ */

/* Whether this server takes such a job; effort is for all of one command. */
static int
may_come(
    struct server *s, const struct job *job, uint64_t *effort, struct err *e)
{
	if (job_check(job, e) < 0 || room_for_size(s, job->object.len, e) < 0)
		return -e->code;
	return catalogue_judge(s->catalogue, job, effort, e);
}

struct single {
	struct pending pending;
	struct server *server;
	size_t size; /* of the job, bytes */
};

static void
single_done(void *ctx, int result, const struct err *why)
{
	struct single *one = ctx;

	room_answer(one->server, one->size);
	command_done(&one->pending, result, why);
}

void
cmd_push(struct conn *c, const char *arg, size_t len)
{
	uint64_t effort = catalogue_effort(len);
	struct room_need need = { 0 };
	struct single *one;
	struct job job;
	struct err e;
	int r;

	if (job_parse(arg, len, &job, &e) < 0) {
		conn_error(c, "%s", e.text);
		return;
	}
	room_count(&need, job.object.len);
	if (may_come(c->server, &job, &effort, &e) < 0 ||
	    room_for(c->server, &need, &e) < 0) {
		conn_error(c, "%s", e.text);
		job_clear(&job);
		return;
	}
	one = calloc(1, sizeof *one);
	r = one == NULL ? -ENOMEM
			: jobs_push(c->server->jobs, &job, single_done, one);
	if (r == 0) {
		one->server = c->server;
		one->size = job.object.len;
		room_take(c->server, one->size);
		conn_wait(c, &one->pending);
	} else {
		if (r > 0)
			conn_ok(c);
		else
			conn_error(c, "out of memory");
		free(one);
	}
	job_clear(&job);
}

/* ---- many ----------------------------------------------------------------- */

/* One PUSHB; its jobs are told apart by their place. */
struct bulk {
	struct pending pending;
	struct server *server;
	struct buf *refused; /* members of the reply: "jid":"error",… */
	size_t open;         /* jobs not yet on disk, and one for the reading */
	bool short_of_memory;
	uint64_t effort; /* that is left for the catalogue */
};

struct bulk_job {
	struct bulk *bulk;
	size_t size; /* of the job, bytes */
	char jid[];
};

enum { REPLY_MAX = 256 * 1024 * 1024 };

static void
refuse_one(struct bulk *b, const char *jid, size_t len, const char *why)
{
	if ((buf_len(b->refused) > 0 && buf_putc(b->refused, ',') < 0) ||
	    json_put_string(b->refused, jid, len) < 0 ||
	    buf_putc(b->refused, ':') < 0 ||
	    json_put_string(b->refused, why, strlen(why)) < 0)
		b->short_of_memory = true;
}

static void
bulk_step(struct bulk *b)
{
	struct conn *c;

	if (--b->open > 0)
		return;
	c = conn_resume(&b->pending);
	if (c != NULL) {
		struct buf *reply = c->server->scratch;

		buf_clear(reply);
		if (b->short_of_memory || buf_putc(reply, '{') < 0 ||
		    buf_append(reply, buf_front(b->refused),
			buf_len(b->refused)) < 0 ||
		    buf_putc(reply, '}') < 0)
			conn_close(c); /* it cannot know what was refused */
		else
			conn_bulk(c, buf_front(reply), buf_len(reply));
	}
	buf_free(b->refused);
	free(b);
}

static void
bulk_done(void *ctx, int result, const struct err *why)
{
	struct bulk_job *one = ctx;
	struct bulk *b = one->bulk;

	room_answer(b->server, one->size);
	if (result < 0)
		refuse_one(b, one->jid, strlen(one->jid), why->text);
	free(one);
	bulk_step(b);
}

static void
bulk_push(struct bulk *b, const struct job *job)
{
	struct server *s = b->server;
	struct bulk_job *one;
	struct err e;

	if (may_come(s, job, &b->effort, &e) < 0) {
		refuse_one(b, job->jid.bytes != NULL ? job->jid.bytes : "",
		    job->jid.len, e.text);
		return;
	}
	one = calloc(1, sizeof *one + job->jid.len + 1);
	if (one != NULL) {
		one->bulk = b;
		one->size = job->object.len;
		memcpy(one->jid, job->jid.bytes, job->jid.len);
		b->open++;
		int r = jobs_push(s->jobs, job, bulk_done, one);
		if (r == 0) {
			room_take(s, one->size);
			return;
		}
		b->open--;
		free(one);
		if (r > 0)
			return;
	}
	refuse_one(b, job->jid.bytes, job->jid.len, "out of memory");
}

/* A wrong type anywhere refuses the whole call: nothing may be half pushed.
 * *need is what all of them take. */
static int
check_types(const struct json *array, struct room_need *need, struct err *e)
{
	struct json_walk w = json_walk(array);
	struct json element;
	struct job job;

	while (json_next_element(&w, &element)) {
		if (job_read(&element, &job, e) < 0)
			return -EINVAL;
		room_count(need, job.object.len);
		job_clear(&job);
	}
	return 0;
}

static int
read_array(const char *arg, size_t len, struct json *array,
    struct room_need *need, struct err *e)
{
	struct json_fault fault;

	if (json_check(arg, len, array, &fault) < 0)
		return err_set(e, EINVAL, "invalid JSON: %s at byte %zu",
		    fault.why, fault.at);
	if (array->kind != JSON_ARRAY && array->kind != JSON_NULL)
		return err_set(
		    e, EINVAL, "invalid JSON: PUSHB takes an array of jobs");
	return check_types(array, need, e);
}

void
cmd_pushb(struct conn *c, const char *arg, size_t len)
{
	struct json_walk w;
	struct json array, element;
	struct bulk *b;
	struct job job;
	struct err e;
	struct room_need need = { 0 };

	if (read_array(arg, len, &array, &need, &e) < 0 ||
	    room_for(c->server, &need, &e) < 0) {
		conn_error(c, "%s", e.text);
		return;
	}
	b = calloc(1, sizeof *b);
	if (b == NULL || (b->refused = buf_new(REPLY_MAX)) == NULL) {
		conn_error(c, "out of memory");
		free(b);
		return;
	}
	b->open = 1;
	b->server = c->server;
	b->effort = catalogue_effort(len);
	conn_wait(c, &b->pending);
	w = json_walk(&array);
	while (json_next_element(&w, &element)) {
		if (job_read(&element, &job, &e) < 0) {
			b->short_of_memory = true;
			break;
		}
		bulk_push(b, &job);
		job_clear(&job);
	}
	bulk_step(b);
}
