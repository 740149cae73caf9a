/*
 * sets - a member moved out of its set, looked at, put back.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/op.h"

static void
set_moved(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	struct queue *woken = NULL;

	if (result == -ENOENT || (result == 0 && c->kind == STORE_REMOVE)) {
		jobs_set_of(j, (enum job_state)e->state)->out--;
		jobs_drop(j, e);
	} else if (result == 0) {
		op_arrive(op);
		jobs_place(j, e);
		if (e->state == JOB_QUEUED)
			woken = e->queue;
	} else {
		j->not_before = clock_wall() + CLOCK_NS_PER_S;
		j->hooks.trouble(j->hooks.ctx, e->jid, why->text);
		jobs_put_back(j, e);
	}
	if (op->done != NULL)
		op->done(op->ctx, result, why);
	if (woken != NULL)
		j->hooks.queued(j->hooks.ctx, woken);
	op_free(op);
}

int
jobs_move(struct jobs *j, struct entry *e, enum jobs_move what, jobs_done *done,
    void *ctx)
{
	struct op *op;
	int64_t now = clock_wall();

	if (jobs_is_flushed(j, e))
		return -ENOENT;
	op = op_new(j, e);
	if (op == NULL)
		return -ENOMEM;
	op->done = done;
	op->ctx = ctx;
	switch (what) {
	case MOVE_REQUEUE:
		if (jobs_make_known(j, e->queue) < 0)
			goto fail;
		op_aim(op, JOB_QUEUED, j->next_id++, 0);
		op->change.job.enqueued_at = now;
		op_send(op, STORE_MOVE, set_moved);
		return 0;
	case MOVE_KILL:
		if (set_make_room(&j->sets[SET_DEAD]) < 0)
			goto fail;
		op_aim(op, JOB_DEAD, e->seq, now + JOBS_DEAD_NS);
		op_send(op, STORE_MOVE, set_moved);
		return 0;
	case MOVE_DISCARD:
		op_send(op, STORE_REMOVE, set_moved);
		return 0;
	}
fail:
	op_free(op);
	return -ENOMEM;
}

static void
seen(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	jobs_seen *done = op->taken;
	void *ctx = op->taken_ctx;
	struct jobs_delivery d = {
		.payload = c->taken.payload,
		.payload_len = c->taken.payload_len,
		.failure = c->taken.failure,
		.failure_len = c->taken.failure_len,
		.enqueued_at = c->taken.enqueued_at,
	};

	op_free(op);
	if (result == -ENOENT) {
		jobs_set_of(j, (enum job_state)e->state)->out--;
		jobs_drop(j, e);
		e = NULL;
	}
	done(ctx, result, why, e, &d);
}

int
jobs_read(struct jobs *j, struct entry *e, jobs_seen *done, void *ctx)
{
	struct op *op;

	if (jobs_is_flushed(j, e))
		return -ENOENT;
	op = op_new(j, e);
	if (op == NULL)
		return -ENOMEM;
	op->taken = done;
	op->taken_ctx = ctx;
	op_send(op, STORE_READ, seen);
	return 0;
}

int
jobs_empty_set(struct jobs *j, enum jobs_set set, struct jobs_list *out)
{
	struct set *s = &j->sets[set];
	size_t n = agenda_count(s->agenda);
	struct entry **at = calloc(n > 0 ? n : 1, sizeof(struct entry *));

	if (at == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		at[i] = entry_of_timer(agenda_at(s->agenda, i));
		at[i]->moving = true;
	}
	agenda_clear(s->agenda);
	s->out += n;
	due_changed(s);
	out->at = at;
	out->count = n;
	return 0;
}

void
jobs_put_back(struct jobs *j, struct entry *e)
{
	struct set *s = jobs_set_of(j, (enum job_state)e->state);

	if (jobs_is_flushed(j, e)) {
		s->out--;
		jobs_drop(j, e);
		return;
	}
	/* Its old room may have been given to a newcomer meanwhile. */
	if (agenda_reserve(s->agenda, 1) < 0) {
		j->hooks.trouble(j->hooks.ctx, e->jid,
		    "out of memory: it waits on disk for the next start");
		jobs_drop(j, e);
		s->out--;
		return;
	}
	s->out--;
	jobs_place(j, e);
}
