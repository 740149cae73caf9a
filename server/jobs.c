/*
 * jobs - made, read back at the start, and forgotten all at once.
 *
 * push.c has how jobs come in, take.c how they go to a worker, settle.c how
 * that ends, sets.c the moves out of the sets, due.c what the clocks do.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "protocol/job_backoff.h"
#include "server/op.h"

struct jobs *
jobs_new(struct ev_loop *loop, struct queues *queues, struct counters *counters,
    const struct jobs_hooks *hooks, const struct jobs_options *options)
{
	struct jobs *j = calloc(1, sizeof *j);

	if (j == NULL)
		return NULL;
	j->loop = loop;
	j->queues = queues;
	j->counters = counters;
	j->hooks = *hooks;
	j->options = *options;
	j->next_id = 1;
	j->reservations = reservations_new();
	j->jids = jids_new();
	j->tally = tally_new();
	j->news = news_new();
	j->absent = map_new();
	j->late = map_new();
	j->results = results_new(options->result_retention);
	if (options->push_window > 0)
		j->recent = recent_new(options->push_window);
	if (due_init(j) < 0 || j->reservations == NULL || j->jids == NULL ||
	    j->tally == NULL || j->news == NULL || j->absent == NULL ||
	    j->late == NULL || j->results == NULL ||
	    (options->push_window > 0 && j->recent == NULL)) {
		jobs_free(j);
		return NULL;
	}
	return j;
}

void
jobs_forget_queue(struct jobs *j, struct queue *q)
{
	struct entry *e;

	while ((e = q->head) != NULL) {
		queue_drop(q, e);
		jobs_drop(j, e);
	}
}

static void
forget_agenda(struct jobs *j, struct agenda *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < agenda_count(a); i++)
		jobs_drop(j, entry_of_timer(agenda_at(a, i)));
	agenda_clear(a);
}

/* Those that a change is settling belong to that change. */
static void
forget_reservations(struct jobs *j)
{
	struct entry *e;

	while ((e = reservations_first(j->reservations)) != NULL) {
		reservations_remove(j->reservations, e->held);
		jobs_drop(j, e);
	}
}

static void
forget_everything(struct jobs *j)
{
	size_t cursor = 0;
	struct queue *q;

	while ((q = queues_next(j->queues, &cursor)) != NULL)
		jobs_forget_queue(j, q);
	for (int i = 0; i < JOBS_SETS; i++)
		forget_agenda(j, j->sets[i].agenda);
	forget_reservations(j);
}

void
jobs_free(struct jobs *j)
{
	struct op *op;

	if (j == NULL)
		return;
	if (j->reservations != NULL && j->jids != NULL && j->tally != NULL)
		forget_everything(j);
	due_free(j);
	reservations_free(j->reservations);
	jids_free(j->jids);
	tally_free(j->tally);
	news_free(j->news);
	absent_free(j);
	late_clear(j);
	results_free(j->results);
	recent_free(j->recent);
	while ((op = j->spare) != NULL) {
		j->spare = op->next_spare;
		buf_free(op->payload);
		buf_free(op->failure);
		free(op);
	}
	free(j);
}

/* What was left of its time when we went down; a stepped clock adds none. */
static int64_t
time_left(const struct store_job *row)
{
	int64_t left = row->due - clock_wall();
	int64_t whole = row->reserve_for * CLOCK_NS_PER_S;

	return left < 0 ? 0 : left > whole ? whole : left;
}

/* NULL: no memory. */
static struct reservation *
reservation_of(struct entry *e, const struct store_job *row)
{
	struct reservation *r =
	    reservation_new(e, row->wid != NULL ? row->wid : "");

	if (r == NULL)
		return NULL;
	r->reserved_at = row->reserved_at;
	if (row->payload != NULL)
		r->delay = job_backoff_seconds(
		    row->payload, row->payload_len, row->retry_count + 1);
	r->enqueued_at = row->enqueued_at;
	if (row->failed_at != NULL && strlen(row->failed_at) < TIMESTAMP_MAX)
		memcpy(
		    r->failed_at, row->failed_at, strlen(row->failed_at) + 1);
	return r;
}

static int
load_reserved(struct jobs *j, struct entry *e, const struct store_job *row)
{
	struct reservation *r = reservation_of(e, row);

	if (r == NULL)
		return -ENOMEM;
	if (reservations_add(
		j->reservations, r, clock_mono() + time_left(row)) < 0) {
		free(r);
		return -ENOMEM;
	}
	return 0;
}

/* Whoever lost it may still say how it ended. */
static int
load_queued(struct jobs *j, struct entry *e, const struct store_job *row)
{
	struct reservation *r;

	if (row->wid != NULL && row->wid[0] != '\0') {
		r = reservation_of(e, row);
		if (r == NULL)
			return -ENOMEM;
		late_keep(j, r);
	}
	e->enqueued_at = row->enqueued_at;
	return 0;
}

/*
 * What there is may be pushed again by a client that has not heard of it. When
 * a scheduled job was pushed is not known: it counts as new.
 */
static int
load_recent(struct jobs *j, const struct store_job *row)
{
	size_t len = strlen(row->jid);
	int64_t now, age = 0;

	if (j->recent == NULL)
		return 0;
	now = clock_mono();
	if (row->enqueued_at > 0)
		age = clock_wall() - row->enqueued_at;
	if (age >= j->options.push_window ||
	    recent_find(j->recent, row->jid, len, now) != NULL)
		return 0;
	return recent_add(
		   j->recent, row->jid, len, age > 0 ? now - age : now) != NULL
	    ? 0
	    : -ENOMEM;
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
	e->retry = jobs_narrow(row->retry);
	e->reserve_for = jobs_narrow(row->reserve_for);
	e->retry_count = jobs_narrow(row->retry_count);
	e->deaths = jobs_narrow(row->deaths);
	e->queue = queues_get(j->queues, row->queue, strlen(row->queue));
	if (row->id >= j->next_id)
		j->next_id = row->id + 1;
	if (row->seq >= j->next_id)
		j->next_id = row->seq + 1;

	if (e->queue == NULL || load_recent(j, row) < 0 ||
	    (s != NULL && agenda_reserve(s->agenda, 1) < 0) ||
	    (row->state == JOB_RESERVED && load_reserved(j, e, row) < 0) ||
	    (row->state == JOB_QUEUED && load_queued(j, e, row) < 0)) {
		entry_free(e);
		return -ENOMEM;
	}
	if (s != NULL) {
		e->timer.when = row->due;
		jobs_place(j, e);
	} else if (row->state == JOB_QUEUED) {
		queue_load(e->queue, e);
	}
	const char *type = row->jobtype != NULL ? row->jobtype : "";
	e->type = tally_enter(j->tally, type, strlen(type));
	jids_load(j->jids, e);
	return 0;
}

int
jobs_load_note(struct jobs *j, enum store_note note, const char *wid,
    const char *jid, int64_t value)
{
	struct reservation *r;

	if (note == NOTE_GONE)
		return absent_load(j, wid);
	if (note != NOTE_CANCEL && note != NOTE_LOST)
		return -EINVAL;
	r = note == NOTE_CANCEL ? reservations_find(j->reservations, jid,
				      strlen(jid), wid, NULL, NULL)
				: NULL;
	if (r != NULL)
		r->cancelled = true;
	return news_load(j->news, note, wid, jid, value);
}

void
jobs_start(struct jobs *j, struct store *store)
{
	j->store = store;
	queues_loaded(j->queues);
	jids_loaded(j->jids);
	news_start(j->news, store);
	results_start(j->results, store);
	absent_start(j);
	due_start(j);
}

/* ---- everything ------------------------------------------------------ */

/*
 * A queue's name is given up when the FLUSH is sent: what is pushed behind it,
 * in the same batch perhaps, must write the name anew.
 */
static void
fade_queues(struct jobs *j)
{
	size_t cursor = 0;
	struct queue *q;

	while ((q = queues_next(j->queues, &cursor)) != NULL) {
		q->fading = q->fading || q->known;
		q->known = false;
	}
}

static void
settle_queues(struct jobs *j, bool taken)
{
	size_t cursor = 0;
	struct queue *q;

	while ((q = queues_next(j->queues, &cursor)) != NULL) {
		if (taken)
			q->paused = false;
		else
			q->known = q->known || q->fading;
		q->fading = false;
	}
}

static void
flushed(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;

	j->flushing--;
	settle_queues(j, result == 0);
	if (result == 0) {
		j->flushed_below = op->flushed_below;
		forget_everything(j);
		counters_clear(j->counters);
		news_clear(j->news);
		absent_clear(j);
		results_clear(j->results);
		if (j->recent != NULL)
			recent_clear(j->recent);
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
	op->flushed_below = j->next_id;
	j->flushing++;
	fade_queues(j);
	op_send(op, STORE_CLEAR, flushed);
	return 0;
}

struct results *
jobs_results(const struct jobs *j)
{
	return j->results;
}

const struct tally *
jobs_tally(const struct jobs *j)
{
	return j->tally;
}

struct news *
jobs_news(const struct jobs *j)
{
	return j->news;
}

size_t
jobs_in_set(const struct jobs *j, enum jobs_set set)
{
	return agenda_count(j->sets[set].agenda) + j->sets[set].out;
}

size_t
jobs_reserved(const struct jobs *j)
{
	return reservations_count(j->reservations) + j->taking;
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
