/*
 * sqlite - the store on SQLite: changes are gathered here, go through the
 * thread of commits, and are told what became of them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/store/arena.h"
#include "server/store/commits.h"
#include "server/store/database.h"
#include "server/store/datadir.h"
#include "server/store/scan.h"
#include "server/store/writer.h"

const double store_time_bounds[STORE_TIMES] = { .0001, .00025, .0005, .001,
	.0025, .005, .01, .025, .05, .1, .25, .5, 1, 5 };

struct store {
	struct ev_loop *loop;
	ev_async heard;
	struct datadir *dir;
	struct writer *writer; /* the thread's while that runs */
	struct commits *commits;

	struct store_change *open;
	struct store_change **open_end;
	size_t pending;
	struct store_status status;
};

/* ---- what became of a batch ------------------------------------------------ */

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
		commits_heard(s->commits, b);
		b = next;
	}
}

static void
on_heard(struct ev_loop *loop, ev_async *w, int revents)
{
	struct store *s = w->data;

	(void)loop;
	(void)revents;
	hear_all(s, commits_take(s->commits));
}

/* ---- changes --------------------------------------------------------------- */

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
	commits_give(s->commits, s->open, s->open_end);
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
	commits_free(s->commits);
	free(s);
}

static struct store *
store_new(struct ev_loop *loop)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->commits = commits_new();
	if (s->commits == NULL) {
		free(s);
		return NULL;
	}
	s->loop = loop;
	s->open_end = &s->open;
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
	if (s->writer == NULL)
		return err_wrap(e, "%s", file);
	s->status.used_bytes = writer_used_bytes(s->writer);
	writer_lengthen(s->writer);
	return 0;
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
	    commits_start(s->commits, s->writer, loop, &s->heard, e) < 0) {
		store_free(s);
		return NULL;
	}
	ev_async_start(loop, &s->heard);
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	while (s->pending > 0) {
		store_flush(s);
		hear_all(s, commits_await(s->commits));
	}
	commits_end(s->commits);
	ev_async_stop(s->loop, &s->heard);
	store_free(s);
}
