/*
 * sqlite - the store on SQLite: changes go to a thread and come back heard.
 *
 *	       store_flush()        the thread            the loop
 *	 open --------------> given ------------> written --------> heard
 *	  ^                                          |
 *	  +------- what did not fit into one --------+
 *
 * One batch is with the thread at a time; the next gathers meanwhile, so the
 * busier the disk is, the more clients share a commit.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/store.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "server/store/arena.h"
#include "server/store/database.h"
#include "server/store/datadir.h"
#include "server/store/scan.h"
#include "server/store/writer.h"

enum { IDLE_S = 2 }; /* without work for so long: time to tidy up */

enum hand {
	HAND_EMPTY,   /* the thread waits */
	HAND_GIVEN,   /* the batch is the thread's */
	HAND_WRITTEN, /* the batch is the loop's again */
};

struct batch {
	struct store_change *first;
	struct store_change *rest; /* the first that was left out; NULL: none */
	struct arena *arena;       /* owned; what `taken` points into */
	int result;
	struct err why;
};

struct store {
	struct ev_loop *loop;
	ev_async written;
	struct datadir *dir;
	struct writer *writer; /* the thread's while that runs */
	pthread_t thread;

	pthread_mutex_t mutex; /* guards hand and quit, and hands over batch */
	pthread_cond_t turn;   /* hand or quit has changed */
	enum hand hand;
	bool quit;
	struct batch batch;

	/* The loop's alone. */
	struct store_change *open;
	struct store_change **open_end;
	size_t pending;
	bool busy; /* from store_flush() until the last done call */
	struct store_status status;
};

/* ---- the thread's side --------------------------------------------------- */

/* Under the mutex. Returns false when it is time to tidy up instead. */
static bool
wait_for_work(struct store *s)
{
	struct timespec until;

	if (!writer_wants_idle(s->writer)) {
		pthread_cond_wait(&s->turn, &s->mutex);
		return true;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	return pthread_cond_timedwait(&s->turn, &s->mutex, &until) != ETIMEDOUT;
}

/* Under the mutex, which it lets go while it writes. */
static void
write_given(struct store *s)
{
	struct batch *b = &s->batch;

	pthread_mutex_unlock(&s->mutex);
	b->result =
	    writer_write(s->writer, b->first, &b->rest, b->arena, &b->why);
	pthread_mutex_lock(&s->mutex);
	s->hand = HAND_WRITTEN;
	pthread_cond_broadcast(&s->turn);
	ev_async_send(s->loop, &s->written);

	pthread_mutex_unlock(&s->mutex);
	writer_checkpoint(s->writer);
	pthread_mutex_lock(&s->mutex);
}

static void *
write_batches(void *ctx)
{
	struct store *s = ctx;

	pthread_mutex_lock(&s->mutex);
	for (;;) {
		if (s->hand == HAND_GIVEN) {
			write_given(s);
		} else if (s->quit) {
			break;
		} else if (!wait_for_work(s) && s->hand != HAND_GIVEN) {
			pthread_mutex_unlock(&s->mutex);
			writer_idle(s->writer);
			pthread_mutex_lock(&s->mutex);
		}
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

/* Signals are for the loop's thread. */
static int
start_thread(struct store *s, struct err *e)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&s->thread, NULL, write_batches, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return err_set(e, r, "start a thread: %s", strerror(r));
	pthread_setname_np(s->thread, "store");
	return 0;
}

/* ---- the loop's side ------------------------------------------------------ */

/* What is wrong with this change alone; the others are on disk. */
static void
explain(const struct store_change *c, struct err *why)
{
	switch (c->result) {
	case 0:
		break;
	case -ENOENT:
		err_set(why, ENOENT, "there is no job %" PRId64, c->job.id);
		break;
	case -EEXIST:
		err_set(why, EEXIST, "there is a job %" PRId64, c->job.id);
		break;
	case -EMSGSIZE:
		err_set(why, EMSGSIZE, "too large to be stored");
		break;
	default:
		err_set(why, -c->result, "%s", strerror(-c->result));
		break;
	}
}

static void
tell(struct store *s, struct store_change *c, const struct batch *b)
{
	struct err why = { .code = 0 };

	s->pending--;
	if (b->result < 0) {
		memset(&c->taken, 0, sizeof c->taken);
		if (c->done != NULL)
			c->done(c, b->result, &b->why);
		return;
	}
	s->status.changes++;
	explain(c, &why);
	if (c->done != NULL)
		c->done(c, c->result, &why);
}

/* Puts what was left out back in front of the open batch. */
static void
reopen_rest(struct store *s)
{
	struct store_change *last = s->batch.rest;

	if (last == NULL)
		return;
	while (last->next != NULL)
		last = last->next;
	last->next = s->open;
	if (s->open == NULL)
		s->open_end = &last->next;
	s->open = s->batch.rest;
}

/* The done calls may add changes, and may free the change they are told of. */
static void
hear(struct store *s)
{
	struct batch *b = &s->batch;
	struct store_change *c = b->first, *end = b->rest, *next;

	s->status.failing = b->result < 0;
	if (b->result == 0) {
		s->status.last_commit = clock_wall();
		s->status.commits++;
	}
	reopen_rest(s);
	for (; c != end; c = next) {
		next = c->next;
		tell(s, c, b);
	}
	arena_clear(b->arena);
	s->busy = false;
}

static void
on_written(struct ev_loop *loop, ev_async *w, int revents)
{
	struct store *s = w->data;

	(void)loop;
	(void)revents;
	pthread_mutex_lock(&s->mutex);
	bool written = s->hand == HAND_WRITTEN;
	if (written)
		s->hand = HAND_EMPTY;
	pthread_mutex_unlock(&s->mutex);
	if (written)
		hear(s);
}

void
store_add(struct store *s, struct store_change *c)
{
	c->next = NULL;
	c->result = 0;
	memset(&c->taken, 0, sizeof c->taken);
	*s->open_end = c;
	s->open_end = &c->next;
	s->pending++;
}

void
store_flush(struct store *s)
{
	if (s->busy || s->open == NULL)
		return;
	s->busy = true;
	s->batch.first = s->open;
	s->batch.rest = NULL;
	s->batch.why = (struct err){ .code = 0 };
	s->open = NULL;
	s->open_end = &s->open;

	pthread_mutex_lock(&s->mutex);
	s->hand = HAND_GIVEN;
	pthread_cond_broadcast(&s->turn);
	pthread_mutex_unlock(&s->mutex);
}

bool
store_idle(const struct store *s)
{
	return !s->busy;
}

size_t
store_pending(const struct store *s)
{
	return s->pending;
}

void
store_status(const struct store *s, struct store_status *out)
{
	*out = s->status;
	out->bytes = datadir_bytes(s->dir);
}

/* ---- open and close ------------------------------------------------------ */

static struct store *
store_new(struct ev_loop *loop)
{
	struct store *s = calloc(1, sizeof *s);
	pthread_condattr_t attr;

	if (s == NULL)
		return NULL;
	s->batch.arena = arena_new();
	if (s->batch.arena == NULL) {
		free(s);
		return NULL;
	}
	s->loop = loop;
	s->open_end = &s->open;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->turn, &attr);
	pthread_condattr_destroy(&attr);
	ev_async_init(&s->written, on_written);
	s->written.data = s;
	return s;
}

/* Without its thread. The lock is given back last. */
static void
store_free(struct store *s)
{
	writer_free(s->writer);
	datadir_close(s->dir);
	arena_free(s->batch.arena);
	pthread_cond_destroy(&s->turn);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

static int
open_writer(struct store *s, const struct store_visitor *v, struct err *e)
{
	const char *file = datadir_file(s->dir);
	sqlite3 *db;

	if (database_open(file, &db, e) < 0)
		return -e->code;
	if (scan(db, v, e) < 0) {
		sqlite3_close(db);
		return err_wrap(e, "%s", file);
	}
	s->writer = writer_new(db, e);
	return s->writer == NULL ? err_wrap(e, "%s", file) : 0;
}

struct store *
store_open(struct ev_loop *loop, const char *dir, const struct store_visitor *v,
    struct err *e)
{
	struct store *s = store_new(loop);

	if (s == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->dir = datadir_open(dir, e);
	if (s->dir == NULL || open_writer(s, v, e) < 0 ||
	    start_thread(s, e) < 0) {
		store_free(s);
		return NULL;
	}
	ev_async_start(loop, &s->written);
	return s;
}

static void
wait_until_written(struct store *s)
{
	pthread_mutex_lock(&s->mutex);
	while (s->hand != HAND_WRITTEN)
		pthread_cond_wait(&s->turn, &s->mutex);
	s->hand = HAND_EMPTY;
	pthread_mutex_unlock(&s->mutex);
	hear(s);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	while (s->pending > 0) {
		store_flush(s);
		wait_until_written(s);
	}
	pthread_mutex_lock(&s->mutex);
	s->quit = true;
	pthread_cond_broadcast(&s->turn);
	pthread_mutex_unlock(&s->mutex);
	pthread_join(s->thread, NULL);
	ev_async_stop(s->loop, &s->written);
	store_free(s);
}
