/*
 * storebench - a store on a scratch directory, and all that is heard of it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_STOREBENCH_H
#define TESTS_UNIT_STOREBENCH_H

#include <ev.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/store.h"
#include "tests/unit/storedir.h"

enum { SEEN_MAX = 4096, TEXT_MAX = 8192 };

/* What the visitor saw, as text; and what the changes heard. */
struct bench {
	struct storedir dir;
	struct ev_loop *loop;
	struct store *store;
	bool closed; /* or about to be: a done call may still add */
	char seen[TEXT_MAX];
	int64_t ids[SEEN_MAX];
	size_t nids;
	int refuse; /* what the visitor answers */
	char heard[TEXT_MAX];
	int last_result;
	char last_why[512];
	char taken[256];
};

static inline void __attribute__((format(printf, 2, 3)))
say(char *to, const char *fmt, ...)
{
	size_t len = strlen(to);
	va_list args;

	va_start(args, fmt);
	vsnprintf(to + len, TEXT_MAX - len, fmt, args);
	va_end(args);
}

static inline const char *
or_none(const char *text)
{
	return text == NULL ? "-" : text;
}

static inline int
see_job(void *ctx, const struct store_job *j)
{
	struct bench *b = ctx;

	if (b->nids < SEEN_MAX)
		b->ids[b->nids++] = j->id;
	say(b->seen,
	    "job %" PRId64 " %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
	    " %" PRId64 " %" PRId64 " %" PRId64 " %s %s %s %s %s\n",
	    j->id, (int)j->state, j->seq, j->due, j->enqueued_at,
	    j->reserved_at, j->retry, j->reserve_for, j->retry_count, j->jid,
	    j->jobtype, j->queue, or_none(j->wid), or_none(j->failed_at));
	assert_null(j->payload);
	assert_null(j->failure);
	return b->refuse;
}

static inline int
see_counter(void *ctx, const char *name, int64_t value)
{
	struct bench *b = ctx;

	say(b->seen, "counter %s %" PRId64 "\n", name, value);
	return 0;
}

static inline int
see_queue(void *ctx, const char *name, bool paused)
{
	struct bench *b = ctx;

	say(b->seen, "queue %s %d\n", name, paused);
	return 0;
}

static inline int
see_note(void *ctx, enum store_note note, const char *wid, const char *jid,
    int64_t value)
{
	struct bench *b = ctx;

	say(b->seen, "note %d %s %s %" PRId64 "\n", (int)note, wid, jid, value);
	return 0;
}

static inline int
see_result(void *ctx, int64_t id, const char *jid, int64_t at)
{
	struct bench *b = ctx;

	say(b->seen, "result %" PRId64 " %s %" PRId64 "\n", id, jid, at);
	return 0;
}

static inline struct store *
try_open(struct bench *b, struct err *e)
{
	struct store_visitor v = { see_job, see_counter, see_queue, see_note,
		see_result, b };

	b->seen[0] = '\0';
	b->nids = 0;
	return store_open(b->loop, b->dir.path, &v, e);
}

static inline void
open_store(struct bench *b)
{
	struct err e = { 0 };

	b->store = try_open(b, &e);
	b->closed = b->store == NULL;
	if (b->store == NULL)
		fail_msg("%s", e.text);
}

static inline int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	assert_non_null(b);
	storedir_make(&b->dir);
	b->loop = ev_loop_new(EVFLAG_AUTO);
	open_store(b);
	*state = b;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct bench *b = *state;

	if (!b->closed)
		store_close(b->store);
	ev_loop_destroy(b->loop);
	storedir_remove(&b->dir);
	free(b);
	return 0;
}

/* From here on tear_down() has nothing to close, should a check fail. */
static inline void
close_store(struct bench *b)
{
	b->closed = true;
	store_close(b->store);
}

static inline void
reopen(struct bench *b)
{
	close_store(b);
	open_store(b);
}

static inline void
hear(struct store_change *c, int result, const struct err *why)
{
	struct bench *b = c->ctx;

	say(b->heard, "%" PRId64 ":%d ", c->job.id, result);
	b->last_result = result;
	snprintf(b->last_why, sizeof b->last_why, "%s", why->text);
	if (c->taken.payload != NULL)
		snprintf(b->taken, sizeof b->taken, "%zu %s %zu %s %" PRId64,
		    c->taken.payload_len, c->taken.payload,
		    c->taken.failure_len, or_none(c->taken.failure),
		    c->taken.enqueued_at);
}

/* Turns the loop until every change has been told. */
static inline void
turn_until_told(struct bench *b)
{
	while (store_pending(b->store) > 0) {
		store_flush(b->store);
		ev_run(b->loop, EVRUN_ONCE);
	}
}

static inline struct store_change
new_job(struct bench *b, int64_t id, int64_t seq)
{
	return (struct store_change){
		.kind = STORE_ADD,
		.done = hear,
		.ctx = b,
		.job = {
			.id = id, .state = JOB_QUEUED, .seq = seq,
			.enqueued_at = 7, .retry = 25, .reserve_for = 1800,
			.retry_count = -1, .jid = "jid", .jobtype = "type",
			.queue = "default", .payload = "{\"args\":[1]}",
			.payload_len = 12,
		},
	};
}

static inline struct store_change
on_job(struct bench *b, enum store_kind kind, int64_t id)
{
	return (struct store_change){
		.kind = kind,
		.done = hear,
		.ctx = b,
		.job = { .id = id },
	};
}

static inline void
put(struct bench *b, struct store_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_add(b->store, &changes[i]);
	turn_until_told(b);
}

static inline void
put_one(struct bench *b, struct store_change c)
{
	put(b, &c, 1);
}

#endif
