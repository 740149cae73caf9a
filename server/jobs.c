/*
 * jobs - how jobs come in, stay, and are forgotten.
 *
 * take.c has the moves of reserved jobs, due.c what the clocks do.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/op.h"

struct jobs *
jobs_new(struct ev_loop *loop, struct queues *queues, struct counters *counters,
    const struct jobs_hooks *hooks)
{
	struct jobs *j = calloc(1, sizeof *j);

	if (j == NULL)
		return NULL;
	j->loop = loop;
	j->queues = queues;
	j->counters = counters;
	j->hooks = *hooks;
	j->next_id = 1;
	j->reservations = reservations_new();
	if (due_init(j) < 0 || j->reservations == NULL) {
		jobs_free(j);
		return NULL;
	}
	return j;
}

void
jobs_forget_queue(struct queue *q)
{
	struct entry *e;

	while ((e = q->head) != NULL) {
		queue_drop(q, e);
		entry_free(e);
	}
}

static void
forget_agenda(struct agenda *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < agenda_count(a); i++)
		entry_free(entry_of_timer(agenda_at(a, i)));
	agenda_clear(a);
}

/* Those that a change is settling belong to that change. */
static void
forget_reservations(struct jobs *j)
{
	struct entry *e;

	while ((e = reservations_first(j->reservations)) != NULL) {
		reservations_remove(j->reservations, e->held);
		entry_free(e);
	}
}

static void
forget_everything(struct jobs *j)
{
	size_t cursor = 0;
	struct queue *q;

	while ((q = queues_next(j->queues, &cursor)) != NULL)
		jobs_forget_queue(q);
	for (int i = 0; i < JOBS_SETS; i++)
		forget_agenda(j->sets[i].agenda);
	forget_reservations(j);
}

void
jobs_free(struct jobs *j)
{
	struct op *op;

	if (j == NULL)
		return;
	if (j->reservations != NULL)
		forget_everything(j);
	due_free(j);
	reservations_free(j->reservations);
	while ((op = j->spare) != NULL) {
		j->spare = op->next_spare;
		buf_free(op->payload);
		buf_free(op->failure);
		free(op);
	}
	free(j);
}

static int32_t
narrow(int64_t n)
{
	return n > INT32_MAX ? INT32_MAX
	    : n < INT32_MIN  ? INT32_MIN
			     : (int32_t)n;
}

/* What was left of its time when we went down; a stepped clock adds none. */
static int64_t
time_left(const struct store_job *row)
{
	int64_t left = row->due - clock_wall();
	int64_t whole = row->reserve_for * CLOCK_NS_PER_S;

	return left < 0 ? 0 : left > whole ? whole : left;
}

static int
load_reserved(struct jobs *j, struct entry *e, const struct store_job *row)
{
	struct reservation *r =
	    reservation_new(e, row->wid != NULL ? row->wid : "");

	if (r == NULL)
		return -ENOMEM;
	r->reserved_at = row->reserved_at;
	r->enqueued_at = row->enqueued_at;
	if (row->failed_at != NULL && strlen(row->failed_at) < TIMESTAMP_MAX)
		memcpy(
		    r->failed_at, row->failed_at, strlen(row->failed_at) + 1);
	if (reservations_add(
		j->reservations, r, clock_mono() + time_left(row)) < 0) {
		free(r);
		return -ENOMEM;
	}
	return 0;
}

int
jobs_load(struct jobs *j, const struct store_job *row)
{
	struct set *s = jobs_set_of(j, row->state);

	if (row->state < JOB_QUEUED || row->state > JOB_DEAD ||
	    row->jid == NULL || row->queue == NULL)
		return -EINVAL;
	struct entry *e = entry_new(row->jid, strlen(row->jid));
	if (e == NULL)
		return -ENOMEM;
	e->id = row->id;
	e->seq = row->seq;
	e->state = (uint8_t)row->state;
	e->retry = narrow(row->retry);
	e->reserve_for = narrow(row->reserve_for);
	e->retry_count = narrow(row->retry_count);
	e->queue = queues_get(j->queues, row->queue, strlen(row->queue));
	if (row->id >= j->next_id)
		j->next_id = row->id + 1;
	if (row->seq >= j->next_id)
		j->next_id = row->seq + 1;

	if (e->queue == NULL ||
	    (s != NULL && agenda_reserve(s->agenda, 1) < 0) ||
	    (row->state == JOB_RESERVED && load_reserved(j, e, row) < 0)) {
		entry_free(e);
		return -ENOMEM;
	}
	if (row->state != JOB_RESERVED) {
		if (s != NULL)
			e->timer.when = row->due;
		jobs_place(j, e);
	}
	return 0;
}

void
jobs_start(struct jobs *j, struct store *store)
{
	j->store = store;
	due_start(j);
}

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

/* In front of the first job, in the same batch at the latest. */
static int
make_known(struct jobs *j, struct queue *q)
{
	if (q->known)
		return 0;
	struct naming *n = calloc(1, sizeof *n);
	if (n == NULL)
		return -ENOMEM;
	n->queue = q;
	n->change.kind = STORE_NAME;
	n->change.name = q->name;
	n->change.value = q->paused;
	n->change.done = named;
	n->change.ctx = n;
	q->known = true;
	store_add(j->store, &n->change);
	return 0;
}

/* ---- push ------------------------------------------------------------ */

static void
pushed(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;

	if (result == 0) {
		e->state = (uint8_t)c->job.state;
		jobs_place(j, e);
	} else {
		entry_free(e);
	}
	op->done(op->ctx, result, why);
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

int
jobs_push(struct jobs *j, const struct job *job, jobs_done *done, void *ctx)
{
	struct entry *e = entry_new(job->jid.bytes, job->jid.len);
	struct op *op = NULL;

	if (e == NULL)
		return -ENOMEM;
	e->id = e->seq = j->next_id;
	e->retry = narrow(job->retry);
	e->reserve_for = narrow(job_reservation(job));
	if (job->failure.present)
		e->retry_count = narrow(job->failure.retry_count);
	e->queue = queues_get(j->queues, job->queue.bytes, job->queue.len);

	if (e->queue == NULL || make_known(j, e->queue) < 0 ||
	    set_make_room(&j->sets[SET_SCHEDULED]) < 0 ||
	    (op = op_new(j, e)) == NULL ||
	    describe(op, job, clock_wall()) < 0) {
		if (op != NULL)
			op_free(op);
		entry_free(e);
		return -ENOMEM;
	}
	j->next_id++;
	op->done = done;
	op->ctx = ctx;
	op_send(op, STORE_ADD, pushed);
	return 0;
}

/* ---- the sets -------------------------------------------------------- */

static void
set_moved(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	struct queue *woken = NULL;

	if (result == -ENOENT || (result == 0 && c->kind == STORE_REMOVE)) {
		jobs_set_of(j, (enum job_state)e->state)->out--;
		entry_free(e);
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
	struct op *op = op_new(j, e);
	int64_t now = clock_wall();

	if (op == NULL)
		return -ENOMEM;
	op->done = done;
	op->ctx = ctx;
	switch (what) {
	case MOVE_REQUEUE:
		if (make_known(j, e->queue) < 0)
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
	void *ctx = op->ctx;
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
		entry_free(e);
		e = NULL;
	}
	done(ctx, result, why, e, &d);
}

int
jobs_read(struct jobs *j, struct entry *e, jobs_seen *done, void *ctx)
{
	struct op *op = op_new(j, e);

	if (op == NULL)
		return -ENOMEM;
	op->taken = done;
	op->ctx = ctx;
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
	for (size_t i = 0; i < n; i++)
		at[i] = entry_of_timer(agenda_at(s->agenda, i));
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

	/* Its old room may have been given to a newcomer meanwhile. */
	if (agenda_reserve(s->agenda, 1) < 0) {
		j->hooks.trouble(j->hooks.ctx, e->jid,
		    "out of memory: it waits on disk for the next start");
		entry_free(e);
		s->out--;
		return;
	}
	s->out--;
	jobs_place(j, e);
}

/* ---- everything ------------------------------------------------------ */

static void
flushed(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;
	size_t cursor = 0;
	struct queue *q;

	if (result == 0) {
		forget_everything(j);
		while ((q = queues_next(j->queues, &cursor)) != NULL)
			q->known = q->paused = false;
		counters_clear(j->counters);
		for (int i = 0; i < JOBS_SETS; i++)
			due_changed(&j->sets[i]);
		due_reservations_changed(j);
	}
	op->done(op->ctx, result, why);
	op_free(op);
}

int
jobs_flush(struct jobs *j, jobs_done *done, void *ctx)
{
	struct op *op = op_new(j, NULL);

	if (op == NULL)
		return -ENOMEM;
	op->done = done;
	op->ctx = ctx;
	op_send(op, STORE_CLEAR, flushed);
	return 0;
}

size_t
jobs_in_set(const struct jobs *j, enum jobs_set set)
{
	return agenda_count(j->sets[set].agenda) + j->sets[set].out;
}

size_t
jobs_reserved(const struct jobs *j)
{
	return reservations_count(j->reservations);
}

const struct jobs_task *
jobs_task(const struct jobs *j, enum jobs_set set)
{
	return &j->sets[set].task;
}

uint64_t
jobs_reaped(const struct jobs *j)
{
	return j->reaped;
}
