/*
 * op - moves in flight, and the places that entries come from and go to.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/op.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPARE_MAX = 4096,        /* ops kept for reuse */
	SPARE_BYTES = 16 * 1024, /* and the largest buffer kept with one */
	OP_BYTES_MAX = 1 << 30,  /* a payload; the line limit is far below */
};

struct op *
op_new(struct jobs *j, struct entry *e)
{
	struct op *op = j->spare;

	if (op != NULL) {
		struct buf *payload = op->payload, *failure = op->failure;

		j->spare = op->next_spare;
		j->nspare--;
		memset(op, 0, sizeof *op);
		op->payload = payload;
		op->failure = failure;
	} else {
		op = calloc(1, sizeof *op);
		if (op == NULL)
			return NULL;
	}
	op->jobs = j;
	op->entry = e;
	if (op->payload == NULL)
		op->payload = buf_new(OP_BYTES_MAX);
	if (op->failure == NULL)
		op->failure = buf_new(OP_BYTES_MAX);
	if (op->payload == NULL || op->failure == NULL) {
		op_free(op);
		return NULL;
	}
	op->change.job.enqueued_at = -1;
	if (e != NULL)
		op->change.job.id = e->id;
	return op;
}

static void
reuse(struct buf **b)
{
	if (*b != NULL && buf_len(*b) <= SPARE_BYTES) {
		buf_clear(*b);
		return;
	}
	buf_free(*b);
	*b = NULL;
}

void
op_free(struct op *op)
{
	struct jobs *j = op->jobs;

	if (op->into != NULL)
		op->into->coming--;
	reuse(&op->payload);
	reuse(&op->failure);
	if (j->nspare >= SPARE_MAX) {
		buf_free(op->payload);
		buf_free(op->failure);
		free(op);
		return;
	}
	op->next_spare = j->spare;
	j->spare = op;
	j->nspare++;
}

static void
heard(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct err gone;

	if (result < 0 && c->kind != STORE_ADD && op->entry != NULL &&
	    jobs_is_flushed(op->jobs, op->entry)) {
		result = err_set(&gone, ENOENT, "there is no job %" PRId64,
		    op->change.job.id);
		why = &gone;
	}
	op->heard(c, result, why);
}

void
op_send(struct op *op, enum store_kind kind, store_done *done)
{
	op->change.kind = kind;
	op->change.done = heard;
	op->heard = done;
	op->change.ctx = op;
	if ((kind == STORE_ADD || kind == STORE_MOVE) &&
	    op->change.job.state == JOB_QUEUED) {
		op->into = op->entry->queue;
		op->into->coming++;
	}
	store_add(op->jobs->store, &op->change);
}

void
op_aim(struct op *op, enum job_state state, int64_t seq, int64_t due)
{
	op->change.job.state = state;
	op->change.job.seq = seq;
	op->change.job.due = due;
	op->change.job.deaths = op->entry->deaths;
}

int32_t
jobs_narrow(int64_t n)
{
	return n > INT32_MAX ? INT32_MAX
	    : n < INT32_MIN  ? INT32_MIN
			     : (int32_t)n;
}

bool
jobs_is_flushed(const struct jobs *j, const struct entry *e)
{
	return e->id < j->flushed_below;
}

void
jobs_unmake(struct jobs *j, struct entry *e)
{
	tally_leave(j->tally, e->type);
	entry_free(e);
}

void
jobs_drop(struct jobs *j, struct entry *e)
{
	late_forget(j, e);
	jids_remove(j->jids, e);
	jobs_unmake(j, e);
}

struct set *
jobs_set_of(struct jobs *j, enum job_state state)
{
	switch (state) {
	case JOB_SCHEDULED:
		return &j->sets[SET_SCHEDULED];
	case JOB_RETRY:
		return &j->sets[SET_RETRIES];
	case JOB_DEAD:
		return &j->sets[SET_DEAD];
	case JOB_QUEUED:
	case JOB_RESERVED:
		break;
	}
	return NULL;
}

int
set_make_room(struct set *s)
{
	return agenda_reserve(
	    s->agenda, 1 + s->out + store_pending(s->jobs->store));
}

void
jobs_place(struct jobs *j, struct entry *e)
{
	struct set *s = jobs_set_of(j, (enum job_state)e->state);

	assert(e->state != JOB_RESERVED);
	e->moving = false;
	if (s == NULL) {
		queue_put(e->queue, e);
		return;
	}
	/* Room for one more was made before the move was sent. */
	agenda_add(s->agenda, &e->timer);
	due_changed(s);
}

void
op_arrive(struct op *op)
{
	struct entry *e = op->entry;
	const struct store_job *row = &op->change.job;
	struct set *from = jobs_set_of(op->jobs, (enum job_state)e->state);

	if (from != NULL)
		from->out--;
	e->state = (uint8_t)row->state;
	e->seq = row->seq;
	if (row->state == JOB_QUEUED)
		e->enqueued_at = row->enqueued_at > 0 ? row->enqueued_at : 0;
	e->deaths = (int32_t)row->deaths;
	if (op->change.set_failure)
		e->retry_count = (int32_t)row->retry_count;
	if (row->state != JOB_QUEUED)
		e->timer.when = row->due;
}
