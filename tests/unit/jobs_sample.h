/*
 * jobs_sample - jobs above a disk that answers when it is told, and as it is
 * told.
 *
 * For the tests of server/jobs and late. Takes the place of server/store.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_JOBS_SAMPLE_H
#define TESTS_UNIT_JOBS_SAMPLE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "server/jobs.h"
#include "server/op.h"

/* ---- a disk that keeps what it is given until it is told what of it -------- */

enum { GIVEN_MAX = 64, IDS = 64 };

static struct store_change *given[GIVEN_MAX];
static size_t ngiven;
static bool on_disk[IDS]; /* rows, by id */
static bool named;        /* the one queue */

void
store_add(struct store *s, struct store_change *c)
{
	(void)s;
	assert_true(ngiven < GIVEN_MAX);
	given[ngiven++] = c;
}

bool
store_is_open(const struct store *s)
{
	(void)s;
	return ngiven > 0;
}

size_t
store_pending(const struct store *s)
{
	(void)s;
	return ngiven;
}

static inline int
carry_out(struct store_change *c)
{
	int64_t id = c->job.id;

	assert_in_range(id, 0, IDS - 1);
	switch (c->kind) {
	case STORE_ADD:
		on_disk[id] = true;
		return 0;
	case STORE_MOVE:
	case STORE_READ:
	case STORE_TAKE:
		c->taken.payload = "{}";
		c->taken.payload_len = 2;
		return on_disk[id] ? 0 : -ENOENT;
	case STORE_REMOVE:
		if (!on_disk[id])
			return -ENOENT;
		on_disk[id] = false;
		return 0;
	case STORE_CLEAR:
		memset(on_disk, 0, sizeof on_disk);
		named = false;
		return 0;
	case STORE_NAME:
		named = true;
		return 0;
	default:
		return 0;
	}
}

/* The first n that were given: one batch, written or refused. */
static inline void
disk_answers(size_t n, int batch)
{
	struct store_change *now[GIVEN_MAX];
	int results[GIVEN_MAX];

	assert_true(n <= ngiven);
	memcpy(now, given, n * sizeof *now);
	ngiven -= n;
	for (size_t i = 0; i < ngiven; i++)
		given[i] = given[i + n];
	for (size_t i = 0; i < n; i++)
		results[i] = batch < 0 ? batch : carry_out(now[i]);
	for (size_t i = 0; i < n; i++) {
		const struct err why = { .code = -results[i] };

		if (now[i]->done != NULL)
			now[i]->done(now[i], results[i], &why);
	}
}

/* ---- jobs on it -------------------------------------------------------------- */

static struct ev_loop *loop;
static struct queues *queues;
static struct counters *counters;
static struct jobs *jobs;
static struct queue *queue;
static int last; /* what the last done call was told */

static inline void
on_queued(void *ctx, struct queue *q)
{
	(void)ctx;
	(void)q;
}

static inline bool
nobody_waits(void *ctx, struct queue *q, struct jobs_waiter *w)
{
	(void)ctx;
	(void)q;
	(void)w;
	return false;
}

static inline void
on_trouble(void *ctx, const char *jid, const char *what)
{
	(void)ctx;
	(void)jid;
	(void)what;
}

static inline enum jobs_presence
hears(void *ctx, const char *wid)
{
	(void)ctx;
	(void)wid;
	return PRESENCE_HEARS;
}

static inline void
on_done(void *ctx, int result, const struct err *why)
{
	(void)ctx;
	(void)why;
	last = result;
}

static inline void
on_taken(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	(void)d;
	on_done(ctx, result, why);
	(void)e;
}

static inline void
on_cancelled(void *ctx, int result, const struct err *why,
    const struct jobs_cancelled *done)
{
	(void)done;
	on_done(ctx, result, why);
}

static inline int
begin(void **state)
{
	static const struct jobs_hooks hooks = {
		.queued = on_queued,
		.awaited = nobody_waits,
		.trouble = on_trouble,
		.presence = hears,
	};
	static const struct jobs_options options = { 0 };

	(void)state;
	loop = ev_loop_new(EVFLAG_AUTO);
	queues = queues_new();
	counters = counters_new();
	jobs = jobs_new(loop, queues, counters, &hooks, &options);
	jobs_start(jobs, NULL); /* which it only hands on */
	ngiven = 0;
	named = false;
	memset(on_disk, 0, sizeof on_disk);
	queue = queues_get(queues, "default", 7);
	return queue == NULL;
}

static inline int
end(void **state)
{
	(void)state;
	jobs_free(jobs);
	counters_free(counters);
	queues_free(queues);
	ev_loop_destroy(loop);
	return 0;
}

/* Given to the disk: one that waits, or that is scheduled for long after. */
static inline void
push(const char *jid, bool later)
{
	char text[200];
	struct job job;
	struct err e = { 0 };

	snprintf(text, sizeof text,
	    "{\"jid\":\"%s\",\"jobtype\":\"t\",\"args\":[]%s}", jid,
	    later ? ",\"at\":\"2199-01-01T00:00:00Z\"" : "");
	assert_int_equal(job_parse(text, strlen(text), &job, &e), 0);
	assert_int_equal(jobs_push(jobs, &job, on_done, NULL), 0);
	job_clear(&job);
}

static inline void
flush(void)
{
	assert_int_equal(jobs_flush(jobs, on_done, NULL), 0);
}

static inline size_t
in_memory(void)
{
	size_t n = queues_jobs(queues) + jobs_reserved(jobs);

	for (int i = 0; i < JOBS_SETS; i++)
		n += jobs_in_set(jobs, (enum jobs_set)i);
	return n;
}

static inline size_t
rows(void)
{
	size_t n = 0;

	for (int i = 0; i < IDS; i++)
		n += on_disk[i];
	return n;
}

static inline void
take_it(void)
{
	assert_int_equal(jobs_take(jobs, queue, "w", on_taken, NULL), 0);
}

static const struct jobs_claim claim = {
	.jid = "abcdefgh",
	.jid_len = 8,
	.wid = "w",
};

static inline void
settle_it(bool ack)
{
	static char errtype[] = "E", message[] = "m";
	const struct fail_report report = { .errtype = errtype,
		.message = message };
	const struct json none = { 0 };

	assert_int_equal(ack ? jobs_ack(jobs, &claim, &none, on_done, NULL)
			     : jobs_fail(jobs, &claim, &report, on_done, NULL),
	    0);
}

static inline void
ack_it(void)
{
	settle_it(true);
}

static inline void
fail_it(void)
{
	settle_it(false);
}

/* Its worker has been away for too long. */
static inline void
outlive_it(void)
{
	struct reservation *r = reservations_of(jobs->reservations, "w");

	assert_non_null(r);
	assert_int_equal(jobs_outlive(jobs, r), 0);
}

#endif
