/*
 * queue_state - a queue paused, resumed, removed, and how late it is.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/queue_state.h"

#include <errno.h>
#include <stdlib.h>

#include "server/op.h"

/* One request about a queue on its way to the disk. */
struct request {
	struct store_change change;
	struct store_change unname; /* of REMOVE, in the same batch */
	struct jobs *jobs;
	struct queue *queue;
	jobs_done *done;
	queue_state_since *since;
	void *ctx;
	bool known; /* REMOVE: what it was, should the disk refuse */
};

static struct request *
request_new(struct jobs *j, struct queue *q, void *ctx)
{
	struct request *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->jobs = j;
	r->queue = q;
	r->ctx = ctx;
	r->change.ctx = r;
	return r;
}

static void
paused(struct store_change *c, int result, const struct err *why)
{
	struct request *r = c->ctx;
	struct queue *q = r->queue;

	q->pausing--;
	if (result == 0) {
		q->paused = c->value != 0;
		/* Not if what took the name away again is behind this. */
		q->known =
		    q->known || (q->removing == 0 && r->jobs->flushing == 0);
	}
	r->done(r->ctx, result, why);
	if (result == 0 && !q->paused)
		r->jobs->hooks.queued(r->jobs->hooks.ctx, q);
	free(r);
}

int
queue_state_pause(
    struct jobs *j, struct queue *q, bool pause, jobs_done *done, void *ctx)
{
	struct request *r = request_new(j, q, ctx);

	if (r == NULL)
		return -ENOMEM;
	r->done = done;
	q->pausing++;
	r->change.kind = STORE_PAUSE;
	r->change.name = q->name;
	r->change.value = pause;
	r->change.done = paused;
	store_add(j->store, &r->change);
	return 0;
}

static void
removed(struct store_change *c, int result, const struct err *why)
{
	struct request *r = c->ctx;

	r->queue->removing--;
	if (result == 0) {
		r->queue->paused = false;
		jobs_forget_queue(r->jobs, r->queue);
	} else {
		r->queue->known = r->queue->known || r->known;
	}
	r->done(r->ctx, result, why);
	free(r);
}

/*
 * The name is given up at once: a push that follows, in the same batch
 * perhaps, must write it anew behind this change.
 */
int
queue_state_remove(struct jobs *j, struct queue *q, jobs_done *done, void *ctx)
{
	struct request *r = request_new(j, q, ctx);

	if (r == NULL)
		return -ENOMEM;
	r->done = done;
	r->known = q->known;
	q->known = false;
	q->removing++;
	r->unname.kind = STORE_UNNAME;
	r->unname.name = q->name;
	store_add(j->store, &r->unname);
	r->change.kind = STORE_EMPTY;
	r->change.name = q->name;
	r->change.done = removed;
	store_add(j->store, &r->change);
	return 0;
}

/* The job may have left the queue meanwhile: then it was not late. */
static void
seen(struct store_change *c, int result, const struct err *why)
{
	struct request *r = c->ctx;

	(void)why;
	r->since(r->ctx, result == 0 ? c->taken.enqueued_at : 0);
	free(r);
}

int
queue_state_latency(
    struct jobs *j, const struct queue *q, queue_state_since *done, void *ctx)
{
	struct request *r = request_new(j, NULL, ctx);

	if (r == NULL)
		return -ENOMEM;
	r->since = done;
	r->change.kind = STORE_READ;
	r->change.job.id = q->head != NULL ? q->head->id : 0;
	r->change.done = seen;
	store_add(j->store, &r->change);
	return 0;
}
