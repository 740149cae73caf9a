/*
 * push - how a job comes in, and with the first one its queue's name.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/op.h"

/* ---- a queue's name ------------------------------------------------- */

struct naming {
	struct store_change change;
	struct queue *queue;
};

static void
named(struct store_change *c, int result, const struct err *why)
{
	struct naming *n = c->ctx;

	(void)why;
	if (result < 0)
		n->queue->known = false;
	free(n);
}

int
jobs_make_known(struct jobs *j, struct queue *q)
{
	if (q->known)
		return 0;
	struct naming *n = calloc(1, sizeof *n);
	if (n == NULL)
		return -ENOMEM;
	n->queue = q;
	n->change.kind = STORE_NAME;
	n->change.name = q->name;
	n->change.done = named;
	n->change.ctx = n;
	q->known = true;
	store_add(j->store, &n->change);
	return 0;
}

/* ---- the job ------------------------------------------------------------ */

void
jobs_forget_push(struct jobs *j, const char *jid)
{
	struct recent_push *p;

	if (j->recent == NULL)
		return;
	p = recent_find(j->recent, jid, strlen(jid), clock_mono());
	if (p != NULL && p->op == NULL)
		recent_remove(j->recent, p);
}

/* What is on disk is remembered, and what is not is not. */
static void
push_over(struct op *op, int result, const struct err *why)
{
	struct op_echo *echo;

	if (op->recent != NULL && result == 0)
		op->recent->op = NULL;
	else if (op->recent != NULL)
		recent_remove(op->jobs->recent, op->recent);
	op->done(op->ctx, result, why);
	while ((echo = op->echoes) != NULL) {
		op->echoes = echo->next;
		echo->done(echo->ctx, result, why);
		free(echo);
	}
}

/*
 * Whoever waits for a job is waiting again when there is none. It gets the job
 * before its pusher hears that it is stored: there is work to begin.
 */
static void
pushed_to_waiter(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;

	if (result == 0) {
		c->taken.payload = c->job.payload;
		c->taken.payload_len = c->job.payload_len;
		c->taken.failure = c->job.failure;
		c->taken.failure_len = c->job.failure_len;
		c->taken.enqueued_at = c->job.enqueued_at;
		jids_add(op->jobs->jids, op->entry);
		op_hand_out(op);
		push_over(op, result, why);
	} else {
		push_over(op, result, why);
		jobs_unmake(op->jobs, op->entry);
		free(op->reservation);
		op->taken(op->taken_ctx, result, why, NULL, NULL);
	}
	op_free(op);
}

static void
pushed(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;

	if (result == 0) {
		e->state = (uint8_t)c->job.state;
		if (e->state == JOB_QUEUED)
			e->enqueued_at = c->job.enqueued_at;
		jids_add(j->jids, e);
		jobs_place(j, e);
	} else {
		jobs_unmake(j, e);
	}
	push_over(op, result, why);
	if (result == 0 && e->state == JOB_QUEUED)
		j->hooks.queued(j->hooks.ctx, e->queue);
	op_free(op);
}

/* The row of a new job; text is borrowed from the entry, the queue, the op. */
static int
describe(struct op *op, const struct job *job, int64_t now)
{
	struct store_job *row = &op->change.job;
	struct entry *e = op->entry;

	row->id = row->seq = e->id;
	row->retry = job->retry;
	row->reserve_for = e->reserve_for;
	row->retry_count = e->retry_count;
	row->jid = e->jid;
	row->queue = e->queue->name;
	row->state = JOB_QUEUED;
	row->enqueued_at = now;
	if (job->has_at && job->at > now) {
		row->state = JOB_SCHEDULED;
		row->due = e->timer.when = job->at;
		row->enqueued_at = 0;
	}
	if (job->failure.present) {
		const struct job_text *at = &job->failure.failed_at;

		if (at->bytes != NULL && at->len < TIMESTAMP_MAX) {
			memcpy(op->failed_at, at->bytes, at->len);
			row->failed_at = op->failed_at;
		}
		row->failure = job->failure.object.text;
		row->failure_len = job->failure.object.len;
	}
	if (job_put_stored(op->payload, job, now) < 0)
		return -ENOMEM;
	if (row->failure != NULL) {
		if (buf_append(op->failure, row->failure, row->failure_len) < 0)
			return -ENOMEM;
		row->failure = buf_front(op->failure);
	}

	/* The job type is kept behind the payload, with its NUL. */
	row->payload_len = buf_len(op->payload);
	if (buf_append(op->payload, job->jobtype.bytes, job->jobtype.len) < 0 ||
	    buf_putc(op->payload, '\0') < 0)
		return -ENOMEM;
	row->payload = buf_front(op->payload);
	row->jobtype = row->payload + row->payload_len;
	return 0;
}

static int
wait_for(struct op *first, jobs_done *done, void *ctx)
{
	struct op_echo *echo = calloc(1, sizeof *echo);

	if (echo == NULL)
		return -ENOMEM;
	echo->done = done;
	echo->ctx = ctx;
	echo->next = first->echoes;
	first->echoes = echo;
	return 0;
}

/*
 * Straight to a waiting FETCH, if the job would be the first of its queue and
 * overtakes none that is on its way there.
 */
static bool
reserve_for_waiter(struct op *op)
{
	struct jobs *j = op->jobs;
	struct queue *q = op->entry->queue;
	struct store_job *row = &op->change.job;
	const struct err none = { 0 };
	struct jobs_waiter w;

	if (row->state != JOB_QUEUED || q->paused || q->head != NULL ||
	    q->coming > 0 || !j->hooks.awaited(j->hooks.ctx, q, &w))
		return false;
	if (op_reserve(op, w.wid, row->enqueued_at) < 0) {
		w.done(w.ctx, -ENOMEM, &none, NULL, NULL);
		return false;
	}
	op->taken = w.done;
	op->taken_ctx = w.ctx;
	return true;
}

static int
push_new(struct jobs *j, const struct job *job, struct recent_push *recent,
    jobs_done *done, void *ctx)
{
	struct entry *e = entry_new(job->jid.bytes, job->jid.len);
	struct op *op = NULL;

	if (e == NULL)
		return -ENOMEM;
	e->id = e->seq = j->next_id;
	e->retry = jobs_narrow(job->retry);
	e->reserve_for = jobs_narrow(job_reservation(job));
	if (job->failure.present)
		e->retry_count = jobs_narrow(job->failure.retry_count);
	e->queue = queues_get(j->queues, job->queue.bytes, job->queue.len);

	if (e->queue == NULL || jobs_make_known(j, e->queue) < 0 ||
	    set_make_room(&j->sets[SET_SCHEDULED]) < 0 ||
	    (op = op_new(j, e)) == NULL ||
	    describe(op, job, clock_wall()) < 0) {
		if (op != NULL)
			op_free(op);
		entry_free(e);
		return -ENOMEM;
	}
	j->next_id++;
	e->type = tally_enter(j->tally, job->jobtype.bytes, job->jobtype.len);
	op->done = done;
	op->ctx = ctx;
	op->recent = recent;
	if (recent != NULL)
		recent->op = op;
	op_send(
	    op, STORE_ADD, reserve_for_waiter(op) ? pushed_to_waiter : pushed);
	return 0;
}

/* A repeated push has the fate of the first one. */
int
jobs_push(struct jobs *j, const struct job *job, jobs_done *done, void *ctx)
{
	const struct job_text *jid = &job->jid;
	int64_t now = clock_mono();
	struct recent_push *p;

	if (j->recent == NULL)
		return push_new(j, job, NULL, done, ctx);
	p = recent_find(j->recent, jid->bytes, jid->len, now);
	if (p != NULL)
		return p->op != NULL ? wait_for(p->op, done, ctx) : 1;
	p = recent_add(j->recent, jid->bytes, jid->len, now);
	if (p == NULL)
		return -ENOMEM;
	int r = push_new(j, job, p, done, ctx);
	if (r < 0)
		recent_remove(j->recent, p);
	return r;
}
