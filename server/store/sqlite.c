/*
 * sqlite - the store on SQLite: changes go to a thread and come back heard.
 *
 *	       store_flush()        the thread            the loop
 *	 open --------------> given ------------> written --------> heard
 *	                        ^                    |
 *	                        +--- what did not fit into one
 *
 * The thread never waits for the loop while something is given: as soon as
 * one commit is done it takes all that has come meanwhile into the next. So
 * the busier the disk is, the more clients share a commit.
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

#define IDLE_NS  (2 * CLOCK_NS_PER_S)   /* without work: time to tidy up */
#define PAUSE_NS (20 * CLOCK_NS_PER_MS) /* the same between short steps */

const double store_time_bounds[STORE_TIMES] = { .0001, .00025, .0005, .001,
	.0025, .005, .01, .025, .05, .1, .25, .5, 1, 5 };

enum { BATCHES = 4 }; /* written and not heard, before the thread waits */

struct batch {
	struct store_change *first;
	struct store_change *rest; /* the first that was left out; NULL: none */
	struct store_change **end; /* where the list went on */
	struct arena *arena;       /* owned; what `taken` points into */
	int64_t took;              /* ns */
	int64_t used_bytes;        /* of the database */
	int result;
	struct err why;
	struct batch *next;
};

struct store {
	struct ev_loop *loop;
	ev_async heard;
	struct datadir *dir;
	struct writer *writer; /* the thread's while that runs */
	pthread_t thread;

	/*
	 * Guards the next four. Whoever is woken wants the mutex at once and
	 * would only go to sleep on it again: it is let go before.
	 */
	pthread_mutex_t mutex;
	pthread_cond_t work; /* for the thread: to write, or to quit */
	pthread_cond_t news; /* for store_close(): something was written */
	struct store_change *given, **given_end;
	struct batch *spare;
	struct batch *written_first, **written_end;
	bool quit;

	struct batch batches[BATCHES];

	/* The loop's alone. */
	struct store_change *open;
	struct store_change **open_end;
	size_t pending;
	struct store_status status;
};

/* ---- the thread's side --------------------------------------------------- */

/* Under the mutex. Returns false when it is time to tidy up instead. */
static bool
wait_for_work(struct store *s)
{
	struct timespec until;

	if (!writer_wants_idle(s->writer)) {
		pthread_cond_wait(&s->work, &s->mutex);
		return true;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += writer_wants_space(s->writer) ? PAUSE_NS : IDLE_NS;
	until.tv_sec += until.tv_nsec / CLOCK_NS_PER_S;
	until.tv_nsec %= CLOCK_NS_PER_S;
	return pthread_cond_timedwait(&s->work, &s->mutex, &until) != ETIMEDOUT;
}

/* Under the mutex: all that is given becomes one batch. */
static struct batch *
take_given(struct store *s)
{
	struct batch *b = s->spare;

	s->spare = b->next;
	b->next = NULL;
	b->first = s->given;
	b->end = s->given_end;
	b->rest = NULL;
	b->why = (struct err){ .code = 0 };
	s->given = NULL;
	s->given_end = &s->given;
	return b;
}

/* Under the mutex: what was left out stands in front of what came since. */
static void
give_back_rest(struct store *s, const struct batch *b)
{
	if (b->rest == NULL)
		return;
	*b->end = s->given;
	if (s->given == NULL)
		s->given_end = b->end;
	s->given = b->rest;
}

/* Under the mutex, which it lets go while it writes. */
static void
write_given(struct store *s)
{
	struct batch *b = take_given(s);

	pthread_mutex_unlock(&s->mutex);
	int64_t began = clock_mono();
	b->result =
	    writer_write(s->writer, b->first, &b->rest, b->arena, &b->why);
	b->took = clock_mono() - began;
	b->used_bytes = writer_used_bytes(s->writer);
	pthread_mutex_lock(&s->mutex);
	give_back_rest(s, b);
	*s->written_end = b;
	s->written_end = &b->next;
	pthread_mutex_unlock(&s->mutex);

	pthread_cond_signal(&s->news);
	ev_async_send(s->loop, &s->heard);
	writer_checkpoint(s->writer);
	pthread_mutex_lock(&s->mutex);
}

static void *
write_batches(void *ctx)
{
	struct store *s = ctx;

	pthread_mutex_lock(&s->mutex);
	for (;;) {
		if (s->given != NULL && s->spare != NULL) {
			write_given(s);
		} else if (s->quit) {
			break;
		} else if (!wait_for_work(s) && s->given == NULL) {
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

static void
note_commit(struct store_status *st, const struct batch *b)
{
	double seconds = (double)b->took / (double)CLOCK_NS_PER_S;
	size_t i = 0;

	while (i < STORE_TIMES && seconds > store_time_bounds[i])
		i++;
	st->times.at[i]++;
	st->times.sum += seconds;
	st->used_bytes = b->used_bytes;
	st->failing = b->result < 0;
	if (st->failing) {
		st->failures++;
		st->why = b->why;
		return;
	}
	st->last_commit = clock_wall();
	st->committed = clock_mono();
	st->commits++;
}

/* The done calls may add changes, and may free the change they are told of. */
static void
hear(struct store *s, struct batch *b)
{
	struct store_change *c = b->first, *end = b->rest, *next;

	note_commit(&s->status, b);
	for (; c != end; c = next) {
		next = c->next;
		tell(s, c, b);
	}
	arena_clear(b->arena);
}

static void
hear_all(struct store *s, struct batch *b)
{
	while (b != NULL) {
		struct batch *next = b->next;

		hear(s, b);
		pthread_mutex_lock(&s->mutex);
		bool awaited = s->spare == NULL;

		b->next = s->spare;
		s->spare = b;
		pthread_mutex_unlock(&s->mutex);
		if (awaited)
			pthread_cond_signal(&s->work);
		b = next;
	}
}

/* Under the mutex. */
static struct batch *
take_written(struct store *s)
{
	struct batch *b = s->written_first;

	s->written_first = NULL;
	s->written_end = &s->written_first;
	return b;
}

static void
on_heard(struct ev_loop *loop, ev_async *w, int revents)
{
	struct store *s = w->data;

	(void)loop;
	(void)revents;
	pthread_mutex_lock(&s->mutex);
	struct batch *b = take_written(s);
	pthread_mutex_unlock(&s->mutex);
	hear_all(s, b);
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
	if (s->open == NULL)
		return;
	pthread_mutex_lock(&s->mutex);
	*s->given_end = s->open;
	s->given_end = s->open_end;
	pthread_mutex_unlock(&s->mutex);
	pthread_cond_signal(&s->work);
	s->open = NULL;
	s->open_end = &s->open;
}

bool
store_is_open(const struct store *s)
{
	return s->open != NULL;
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

bool
store_is_short(const struct store *s)
{
	return writer_is_short(s->writer);
}

void
store_spare(const struct store *s, struct store_spare *out)
{
	writer_spare(s->writer, out);
}

/* ---- open and close ------------------------------------------------------ */

/* Without its thread. The lock is given back last. */
static void
store_free(struct store *s)
{
	writer_free(s->writer);
	datadir_close(s->dir);
	for (size_t i = 0; i < BATCHES; i++)
		arena_free(s->batches[i].arena);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->news);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

static void
init_turns(struct store *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_cond_init(&s->news, NULL);
	pthread_condattr_destroy(&attr);
}

static struct store *
store_new(struct ev_loop *loop)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	init_turns(s);
	s->loop = loop;
	s->open_end = &s->open;
	s->given_end = &s->given;
	s->written_end = &s->written_first;
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *b = &s->batches[i];

		b->arena = arena_new();
		if (b->arena == NULL) {
			store_free(s);
			return NULL;
		}
		b->next = s->spare;
		s->spare = b;
	}
	ev_async_init(&s->heard, on_heard);
	s->heard.data = s;
	return s;
}

/* A damaged file may be all that is left of the jobs. */
static int
tell_way_out(struct err *e)
{
	const struct err what = *e;

	if (what.code != EUCLEAN || strstr(what.text, "left as it is") != NULL)
		return -what.code;
	return err_set(e, EUCLEAN,
	    "%s; it was left as it is: put a backup in its place, or see "
	    "\"A damaged file\" in store.md",
	    what.text);
}

static int
open_writer(struct store *s, const struct store_visitor *v, struct err *e)
{
	const char *file = datadir_file(s->dir);
	sqlite3 *db;

	if (database_open(file, &db, e) < 0)
		return tell_way_out(e);
	if (scan(db, v, e) < 0) {
		sqlite3_close(db);
		(void)err_wrap(e, "%s", file);
		return tell_way_out(e);
	}
	s->writer = writer_new(db, e);
	if (s->writer != NULL)
		s->status.used_bytes = writer_used_bytes(s->writer);
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
	ev_async_start(loop, &s->heard);
	return s;
}

static void
wait_until_written(struct store *s)
{
	struct batch *b;

	pthread_mutex_lock(&s->mutex);
	while ((b = take_written(s)) == NULL)
		pthread_cond_wait(&s->news, &s->mutex);
	pthread_mutex_unlock(&s->mutex);
	hear_all(s, b);
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
	pthread_mutex_unlock(&s->mutex);
	pthread_cond_signal(&s->work);
	pthread_join(s->thread, NULL);
	ev_async_stop(s->loop, &s->heard);
	store_free(s);
}
