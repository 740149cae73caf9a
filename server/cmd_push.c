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

void
cmd_push(struct conn *c, const char *arg, size_t len)
{
	uint64_t effort = catalogue_effort(len);
	struct pending *p;
	struct job job;
	struct err e;
	int r;

	if (job_parse(arg, len, &job, &e) < 0) {
		conn_error(c, "%s", e.text);
		return;
	}
	if (may_come(c->server, &job, &effort, &e) < 0 ||
	    room_for(c->server, 1, &e) < 0) {
		conn_error(c, "%s", e.text);
		job_clear(&job);
		return;
	}
	p = calloc(1, sizeof *p);
	r = p == NULL ? -ENOMEM
		      : jobs_push(c->server->jobs, &job, command_done, p);
	if (r == 0) {
		conn_wait(c, p);
	} else {
		if (r > 0)
			conn_ok(c);
		else
			conn_error(c, "out of memory");
		free(p);
	}
	job_clear(&job);
}

/* ---- many ----------------------------------------------------------------- */

/* One PUSHB; its jobs are told apart by their place. */
struct bulk {
	struct pending pending;
	struct buf *refused; /* members of the reply: "jid":"error",… */
	size_t open;         /* jobs not yet on disk, and one for the reading */
	bool short_of_memory;
	uint64_t effort; /* that is left for the catalogue */
};

struct bulk_job {
	struct bulk *bulk;
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

	if (result < 0)
		refuse_one(b, one->jid, strlen(one->jid), why->text);
	free(one);
	bulk_step(b);
}

static void
bulk_push(struct bulk *b, struct server *s, const struct job *job)
{
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
		memcpy(one->jid, job->jid.bytes, job->jid.len);
		b->open++;
		int r = jobs_push(s->jobs, job, bulk_done, one);
		if (r == 0)
			return;
		b->open--;
		free(one);
		if (r > 0)
			return;
	}
	refuse_one(b, job->jid.bytes, job->jid.len, "out of memory");
}

/* A wrong type anywhere refuses the whole call: nothing may be half pushed. */
static int
check_types(const struct json *array, size_t *count, struct err *e)
{
	struct json_walk w = json_walk(array);
	struct json element;
	struct job job;

	while (json_next_element(&w, &element)) {
		if (job_read(&element, &job, e) < 0)
			return -EINVAL;
		job_clear(&job);
		++*count;
	}
	return 0;
}

static int
read_array(const char *arg, size_t len, struct json *array, size_t *count,
    struct err *e)
{
	struct json_fault fault;

	if (json_check(arg, len, array, &fault) < 0)
		return err_set(e, EINVAL, "invalid JSON: %s at byte %zu",
		    fault.why, fault.at);
	if (array->kind != JSON_ARRAY && array->kind != JSON_NULL)
		return err_set(
		    e, EINVAL, "invalid JSON: PUSHB takes an array of jobs");
	return check_types(array, count, e);
}

void
cmd_pushb(struct conn *c, const char *arg, size_t len)
{
	struct json_walk w;
	struct json array, element;
	struct bulk *b;
	struct job job;
	struct err e;
	size_t count = 0;

	if (read_array(arg, len, &array, &count, &e) < 0 ||
	    room_for(c->server, count, &e) < 0) {
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
	b->effort = catalogue_effort(len);
	conn_wait(c, &b->pending);
	w = json_walk(&array);
	while (json_next_element(&w, &element)) {
		if (job_read(&element, &job, &e) < 0) {
			b->short_of_memory = true;
			break;
		}
		bulk_push(b, c->server, &job);
		job_clear(&job);
	}
	bulk_step(b);
}
