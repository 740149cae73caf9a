/*
 * settle - how a reservation ends: acknowledged, failed, given back.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "server/backoff.h"
#include "server/op.h"

static void
tell_echoes(struct op *op, int result, const struct err *why)
{
	struct op_echo *echo;

	while ((echo = op->echoes) != NULL) {
		op->echoes = echo->next;
		echo->done(echo->ctx, result == 0 ? -EALREADY : result, why);
		free(echo);
	}
}

static bool
ends_it(const struct op *op)
{
	return op->change.kind == STORE_REMOVE ||
	    op->change.job.state != JOB_QUEUED;
}

/* When the change is sent, so that the numbers go to the disk with it. */
static void
begin_counting(const struct op *op)
{
	if (ends_it(op))
		counters_begin(op->jobs->counters, COUNT_PROCESSED);
	if (op->failed)
		counters_begin(op->jobs->counters, COUNT_FAILURES);
}

static void
end_counting(const struct op *op, bool has_happened)
{
	if (ends_it(op))
		counters_end(op->jobs->counters, COUNT_PROCESSED, has_happened);
	if (op->failed)
		counters_end(op->jobs->counters, COUNT_FAILURES, has_happened);
}

/* Returns the queue that has the job, or NULL. */
static struct queue *
stays(struct jobs *j, struct reservation *r)
{
	struct queue *q = r->late ? r->entry->queue : NULL;

	reservations_unsettle(j->reservations, r);
	if (r->late)
		late_lapse(j, r);
	return q;
}

/* Likewise. */
static struct queue *
ends(struct op *op, bool gone)
{
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	struct reservation *r = e->held;

	if (r->cancelled)
		news_drop(j->news, NOTE_CANCEL, r->wid, e->jid);
	if (r->late)
		news_drop(j->news, NOTE_LOST, r->wid, e->jid);
	reservations_end(j->reservations, r);
	if (gone) {
		jobs_drop(j, e);
		free(r);
		return NULL;
	}
	op_arrive(op);
	if (op->forsaken && e->state == JOB_QUEUED)
		late_keep(j, r);
	else
		free(r);
	jobs_place(j, e);
	return e->state == JOB_QUEUED ? e->queue : NULL;
}

static void
settled(struct store_change *c, int result, const struct err *why)
{
	struct op *op = c->ctx;
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	struct queue *woken = NULL;
	bool gone = c->kind == STORE_REMOVE || result == -ENOENT;

	end_counting(op, result == 0);
	if (result == -ENOENT)
		result = 0; /* everything was flushed meanwhile */
	if (result < 0) {
		j->not_before = clock_wall() + CLOCK_NS_PER_S;
		woken = stays(j, e->held);
	} else {
		woken = ends(op, gone);
	}
	if (op->done != NULL)
		op->done(op->ctx, result, why);
	else if (result < 0)
		j->hooks.trouble(j->hooks.ctx, e->jid, why->text);
	tell_echoes(op, result, why);
	due_reservations_changed(j);
	if (woken != NULL)
		j->hooks.queued(j->hooks.ctx, woken);
	op_free(op);
}

static void
settle(struct op *op, enum store_kind kind)
{
	struct jobs *j = op->jobs;

	reservations_settling(j->reservations, op->entry->held, op);
	op_send(op, kind, settled);
	begin_counting(op);
}

/* deaths: -1: it is given back, and no worker has died with it. */
static int
give_back(struct jobs *j, struct reservation *r, int32_t deaths,
    jobs_done *done, void *ctx)
{
	static char errtype[] = "Cancelled", message[] = "cancelled";
	struct fail_report over = { .errtype = errtype, .message = message };
	struct op *op;

	if (r->cancelled)
		return jobs_settle_failed(j, r, &over, done, ctx);
	op = op_new(j, r->entry);
	if (op == NULL)
		return -ENOMEM;
	op->done = done;
	op->ctx = ctx;
	op_aim(op, JOB_QUEUED, r->entry->seq, 0);
	op->change.job.enqueued_at = r->enqueued_at;
	if (deaths >= 0) {
		op->forsaken = true;
		op->change.job.wid = r->wid;
		op->change.job.deaths = deaths;
	}
	settle(op, STORE_MOVE);
	return 0;
}

void
jobs_give_back(struct jobs *j, struct entry *e)
{
	if (e->held->settling == NULL &&
	    give_back(j, e->held, -1, NULL, NULL) < 0)
		j->hooks.trouble(j->hooks.ctx, e->jid,
		    "out of memory: it stays reserved until it expires");
}

int
jobs_outlive(struct jobs *j, struct reservation *r)
{
	static char errtype[] = "WorkerDied";
	char message[96];
	struct fail_report died = { .errtype = errtype, .message = message };
	int32_t deaths = r->entry->deaths + 1;

	if (j->options.worker_deaths == 0 || deaths < j->options.worker_deaths)
		return give_back(j, r, deaths, NULL, NULL);
	snprintf(message, sizeof message,
	    deaths == 1 ? "its worker died" : "%d workers died with this job",
	    deaths);
	return jobs_settle_failed(j, r, &died, NULL, NULL);
}

static bool
is_present(void *ctx, const char *wid)
{
	struct jobs *j = ctx;

	return j->hooks.presence(j->hooks.ctx, wid) != PRESENCE_AWAY;
}

static struct reservation *
find(struct jobs *j, const struct jobs_claim *claim)
{
	return reservations_find(j->reservations, claim->jid, claim->jid_len,
	    claim->wid, claim->exact ? NULL : is_present, j);
}

/* Likewise, or what its worker has lost. 0, -ENOENT, -ENOMEM. */
static int
find_or_revive(
    struct jobs *j, const struct jobs_claim *claim, struct reservation **out)
{
	*out = find(j, claim);
	return *out != NULL ? 0 : late_revive(j, claim, out);
}

static int
wait_for_first(struct reservation *r, jobs_done *done, void *ctx)
{
	struct op_echo *echo = calloc(1, sizeof *echo);

	if (echo == NULL)
		return -ENOMEM;
	echo->done = done;
	echo->ctx = ctx;
	echo->next = r->settling->echoes;
	r->settling->echoes = echo;
	return 0;
}

/* What is being given back is ended by no second word. */
static int
join_first(struct reservation *r, jobs_done *done, void *ctx)
{
	return r->settling->forsaken ? -EBUSY : wait_for_first(r, done, ctx);
}

int
jobs_return(struct jobs *j, struct reservation *r, jobs_done *done, void *ctx)
{
	return r->settling != NULL ? wait_for_first(r, done, ctx)
				   : give_back(j, r, -1, done, ctx);
}

int
jobs_release(
    struct jobs *j, const struct jobs_claim *claim, jobs_done *done, void *ctx)
{
	struct reservation *r = find(j, claim);

	return r != NULL ? jobs_return(j, r, done, ctx) : -ENOENT;
}

static void
complain(const struct entry *e, const char *what)
{
	const struct log_tag tags[] = { { "jid", e->jid } };

	log_tagged(LOG_LEVEL_WARNING, tags, 1, "%s", what);
}

/* In the same batch as the end of the job. */
static void
keep_result(struct jobs *j, const struct entry *e, bool failed,
    const struct json *result)
{
	int r = result->kind == JSON_NONE
	    ? 0
	    : results_keep(j->results, e->id, e->jid, failed, result);

	if (r < 0)
		complain(e,
		    r == -EMSGSIZE ? "its result is too large to be kept"
				   : "out of memory: its result is not kept");
}

int
jobs_ack(struct jobs *j, const struct jobs_claim *claim,
    const struct json *result, jobs_done *done, void *ctx)
{
	struct reservation *r;
	struct op *op;
	int failed = find_or_revive(j, claim, &r);

	if (failed < 0)
		return failed;
	if (r->settling != NULL)
		return join_first(r, done, ctx);
	op = op_new(j, r->entry);
	if (op == NULL) {
		if (r->late)
			late_lapse(j, r);
		return -ENOMEM;
	}
	op->done = done;
	op->ctx = ctx;
	settle(op, STORE_REMOVE);
	keep_result(j, r->entry, false, result);
	return 0;
}

/* The failure as it stays with the job; `next` is 0 for one that died. */
static int
write_failure(struct op *op, const struct reservation *r,
    const struct fail_report *report, int64_t now, int64_t next)
{
	struct entry *e = op->entry;
	char next_at[TIMESTAMP_MAX];
	int64_t count = e->retry_count + 1;
	int64_t left = next > 0 && e->retry > count ? e->retry - count : 0;
	struct failure_record record = {
		.failed_at = op->failed_at,
		.next_at = next > 0 ? next_at : NULL,
		.retry_count = count,
		.remaining = e->retry < 0 ? e->retry : left,
		.errtype = report->errtype,
		.message = report->message,
		.backtrace = report->backtrace,
		.nlines = report->nlines,
	};

	if (r->failed_at[0] != '\0')
		memcpy(op->failed_at, r->failed_at, sizeof op->failed_at);
	else
		timestamp_format(now, op->failed_at);
	if (next > 0)
		timestamp_format(next, next_at);
	if (failure_put(op->failure, &record) < 0)
		return -ENOMEM;
	op->change.set_failure = true;
	op->change.job.retry_count = count;
	op->change.job.failed_at = op->failed_at;
	op->change.job.failure = buf_front(op->failure);
	op->change.job.failure_len = buf_len(op->failure);
	return 0;
}

static int64_t
delay(const struct fail_report *report, const struct reservation *r,
    int64_t count)
{
	if (report->timed)
		return report->retry_in;
	return r->delay >= 0 ? r->delay : backoff_seconds(count);
}

int
jobs_settle_failed(struct jobs *j, struct reservation *r,
    const struct fail_report *report, jobs_done *done, void *ctx)
{
	struct entry *e = r->entry;
	int64_t now = clock_wall(), count = e->retry_count + 1, next = 0;
	bool again =
	    report->end == FAIL_AS_JOB && !r->cancelled && count < e->retry;
	struct op *op = op_new(j, e);

	if (op == NULL)
		return -ENOMEM;
	op->done = done;
	op->ctx = ctx;
	op->failed = true;
	if (!r->cancelled &&
	    (report->end == FAIL_FORGET ||
		(report->end == FAIL_AS_JOB && e->retry == 0))) {
		settle(op, STORE_REMOVE);
		return 0;
	}

	struct set *to = &j->sets[again ? SET_RETRIES : SET_DEAD];
	if (again)
		next = now + delay(report, r, count) * CLOCK_NS_PER_S;
	if (set_make_room(to) < 0 ||
	    write_failure(op, r, report, now, next) < 0) {
		op_free(op);
		return -ENOMEM;
	}
	op_aim(op, again ? JOB_RETRY : JOB_DEAD, e->seq,
	    again ? next : now + JOBS_DEAD_NS);
	op->change.job.deaths = 0;
	settle(op, STORE_MOVE);
	return 0;
}

void
jobs_tell_lost(struct jobs *j, const struct reservation *r)
{
	int64_t until = clock_wall() + JOBS_NEWS_NS;
	int64_t left = r->entry->timer.when - clock_mono();

	if (r->wid[0] == '\0' ||
	    j->hooks.presence(j->hooks.ctx, r->wid) == PRESENCE_DEAF)
		return;
	if (news_post(j->news, NOTE_LOST, r->wid, r->entry->jid,
		left > 0 ? until + left : until, NULL, NULL) < 0)
		complain(
		    r->entry, "its worker cannot be told that it was lost");
}

int
jobs_fail(struct jobs *j, const struct jobs_claim *claim,
    const struct fail_report *report, jobs_done *done, void *ctx)
{
	struct reservation *r;
	int failed = find_or_revive(j, claim, &r);

	if (failed < 0)
		return failed;
	if (r->settling != NULL)
		return join_first(r, done, ctx);
	failed = jobs_settle_failed(j, r, report, done, ctx);
	if (failed < 0 && r->late)
		late_lapse(j, r);
	if (failed == 0)
		keep_result(j, r->entry, true, &report->result);
	return failed;
}
