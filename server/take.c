/*
 * take - a job on its way from its queue to a worker.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "protocol/job_backoff.h"
#include "server/op.h"

static void
remember_first_failure(struct reservation *r, const struct store_change *c)
{
	struct json object, at;
	ssize_t n;

	if (c->taken.failure == NULL ||
	    json_check(c->taken.failure, c->taken.failure_len, &object, NULL) <
		0)
		return;
	at = json_get(&object, "failed_at");
	n = json_decode_string(&at, r->failed_at, TIMESTAMP_MAX - 1);
	r->failed_at[n > 0 ? n : 0] = '\0';
}

/* Everything the reservation needs from the row, once that is written. */
static int
come_into_force(struct op *op)
{
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	struct reservation *r = op->reservation;
	int64_t deadline = clock_mono() + e->reserve_for * CLOCK_NS_PER_S;

	r->reserved_at = op->change.job.reserved_at;
	r->enqueued_at = op->change.taken.enqueued_at;
	r->delay = job_backoff_seconds(op->change.taken.payload,
	    op->change.taken.payload_len, e->retry_count + 1);
	remember_first_failure(r, &op->change);
	if (reservations_add(j->reservations, r, deadline) < 0)
		return -ENOMEM;
	op->reservation = NULL;
	late_forget(j, e);
	e->state = JOB_RESERVED;
	e->moving = false;
	due_reservations_changed(j);
	return 0;
}

void
op_hand_out(struct op *op)
{
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	const struct store_change *c = &op->change;
	struct err why = { 0 };
	struct jobs_delivery d = {
		.payload = c->taken.payload,
		.payload_len = c->taken.payload_len,
		.failure = c->taken.failure,
		.failure_len = c->taken.failure_len,
		.enqueued_at = c->taken.enqueued_at,
	};

	if (come_into_force(op) < 0) {
		/* On disk it is reserved; there it stays until we restart. */
		err_set(&why, ENOMEM, "out of memory");
		j->hooks.trouble(j->hooks.ctx, e->jid, why.text);
		jobs_drop(j, e);
		e = NULL;
		free(op->reservation);
		op->reservation = NULL;
	}
	op->taken(op->taken_ctx, -why.code, &why, e, &d);
}

static void
taken(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;

	op->jobs->taking--;
	if (result == 0) {
		op_hand_out(op);
		op_free(op);
		return;
	}
	if (result == -ENOENT)
		jobs_drop(op->jobs, op->entry);
	else
		jobs_place(op->jobs, op->entry);
	free(op->reservation);
	op->taken(op->taken_ctx, result, why, NULL, NULL);
	op_free(op);
}

int
op_reserve(struct op *op, const char *wid, int64_t now)
{
	struct entry *e = op->entry;

	op->reservation = reservation_new(e, wid);
	if (op->reservation == NULL)
		return -ENOMEM;
	op_aim(op, JOB_RESERVED, e->seq, now + e->reserve_for * CLOCK_NS_PER_S);
	op->change.job.reserved_at = now;
	op->change.job.wid = op->reservation->wid;
	return 0;
}

int
jobs_take(struct jobs *j, struct queue *q, const char *wid, jobs_taken *done,
    void *ctx)
{
	struct entry *e = q->head;
	struct op *op = op_new(j, e);

	if (op == NULL)
		return -ENOMEM;
	if (op_reserve(op, wid, clock_wall()) < 0) {
		op_free(op);
		return -ENOMEM;
	}
	op->taken = done;
	op->taken_ctx = ctx;
	queue_drop(q, e);
	e->moving = true;
	j->taking++;
	op_send(op, STORE_TAKE, taken);
	return 0;
}
