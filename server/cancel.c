/*
 * cancel - jobs that somebody wants ended, by jid, wherever they are.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/op.h"

/* One request; a jid may be that of several jobs. */
struct cancelling {
	struct jobs *jobs;
	size_t open; /* on their way to the disk, and one for the start */
	struct jobs_cancelled so_far;
	struct err trouble; /* the first; code 0: none */
	jobs_cancel_done *done;
	void *ctx;
};

/* A job whose worker is to be told. */
struct warning {
	struct cancelling *all;
	int64_t id;
	char *wid;
	char jid[];
};

static bool
is_held(const struct entry *e)
{
	return e->state == JOB_RESERVED;
}

static void
step(struct cancelling *c)
{
	if (--c->open > 0)
		return;
	c->done(c->ctx, -c->trouble.code, &c->trouble, &c->so_far);
	free(c);
}

static void
note_trouble(struct cancelling *c, int code, const char *text)
{
	if (c->trouble.code == 0)
		err_set(&c->trouble, code, "%s", text);
}

/* ---- one that waits --------------------------------------------------- */

static void
take_out(struct jobs *j, struct entry *e)
{
	struct set *s = jobs_set_of(j, (enum job_state)e->state);

	e->moving = true;
	if (s == NULL) {
		queue_drop(e->queue, e);
		return;
	}
	agenda_remove(s->agenda, &e->timer);
	s->out++;
	due_changed(s);
}

static void
put_back(struct jobs *j, struct entry *e)
{
	if (jobs_set_of(j, (enum job_state)e->state) != NULL)
		jobs_put_back(j, e);
	else
		jobs_place(j, e);
}

static void
removed(struct store_change *change, int result, const struct err *why)
{
	struct op *op = change->ctx;
	struct jobs *j = op->jobs;
	struct entry *e = op->entry;
	struct cancelling *c = op->ctx;
	struct set *s = jobs_set_of(j, (enum job_state)e->state);

	if (result == 0 || result == -ENOENT) {
		if (s != NULL)
			s->out--;
		jobs_forget_push(j, e->jid);
		jobs_drop(j, e);
		c->so_far.removed += result == 0;
	} else {
		put_back(j, e);
		note_trouble(c, -result, why->text);
	}
	op_free(op);
	step(c);
}

static int
remove_one(struct cancelling *c, struct entry *e)
{
	struct op *op = op_new(c->jobs, e);

	if (op == NULL)
		return -ENOMEM;
	op->ctx = c;
	take_out(c->jobs, e);
	op_send(op, STORE_REMOVE, removed);
	return 0;
}

/* ---- one that runs ------------------------------------------------------ */

/* The reservation that was meant, if it is still there. */
static struct reservation *
find_again(struct jobs *j, const struct warning *w)
{
	struct entry *e = jids_find(j->jids, w->jid, strlen(w->jid));

	while (e != NULL && e->id != w->id)
		e = jids_next(e);
	return e != NULL && is_held(e) && strcmp(e->held->wid, w->wid) == 0
	    ? e->held
	    : NULL;
}

static void
warned(void *ctx, int result, const struct err *why)
{
	struct warning *w = ctx;
	struct cancelling *c = w->all;
	struct reservation *r = find_again(c->jobs, w);

	if (result < 0) {
		note_trouble(c, -result, why->text);
	} else if (r == NULL) {
		/* It has ended meanwhile: nobody is told anything. */
		news_drop(c->jobs->news, NOTE_CANCEL, w->wid, w->jid);
	} else {
		r->cancelled = true;
		c->so_far.told++;
	}
	free(w);
	step(c);
}

static int
warn_one(struct cancelling *c, struct entry *e)
{
	const struct reservation *r = e->held;
	size_t jid_len = strlen(e->jid), wid_len = strlen(r->wid);
	int64_t left = e->timer.when - clock_mono();
	struct warning *w = calloc(1, sizeof *w + jid_len + wid_len + 2);

	if (w == NULL)
		return -ENOMEM;
	w->all = c;
	w->id = e->id;
	memcpy(w->jid, e->jid, jid_len);
	w->wid = w->jid + jid_len + 1;
	memcpy(w->wid, r->wid, wid_len);
	int failed = news_post(c->jobs->news, NOTE_CANCEL, w->wid, w->jid,
	    clock_wall() + left, warned, w);
	if (failed < 0)
		free(w);
	return failed;
}

/* ---- all of a jid --------------------------------------------------------- */

/* 0 when it can be cancelled, else why not, as jobs_cancel() says it. */
static int
obstacle(const struct jobs *j, const struct entry *e)
{
	if (e->moving || (is_held(e) && e->held->settling != NULL))
		return -EBUSY;
	if (e->state == JOB_DEAD)
		return -EOWNERDEAD;
	if (is_held(e) &&
	    (e->held->wid[0] == '\0' ||
		j->hooks.presence(j->hooks.ctx, e->held->wid) == PRESENCE_DEAF))
		return -ENOTSUP;
	return 0;
}

static void
cancel_one(struct cancelling *c, struct entry *e)
{
	int r;

	c->open++;
	r = is_held(e) ? warn_one(c, e) : remove_one(c, e);
	if (r == 0)
		return;
	c->open--;
	note_trouble(c, -r,
	    r == -ENOSPC ? "workers are to be told too much already"
			 : "out of memory");
}

int
jobs_cancel(struct jobs *j, const char *jid, size_t len, jobs_cancel_done *done,
    void *ctx)
{
	struct cancelling *c;
	int why = -ENOENT;

	for (struct entry *e = jids_find(j->jids, jid, len);
	     e != NULL && why != 0; e = jids_next(e))
		why = obstacle(j, e);
	if (why < 0)
		return why;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	c->jobs = j;
	c->open = 1;
	c->done = done;
	c->ctx = ctx;
	for (struct entry *e = jids_find(j->jids, jid, len); e != NULL;
	     e = jids_next(e))
		if (obstacle(j, e) == 0)
			cancel_one(c, e);
	if (c->open == 1) {
		why = -c->trouble.code;
		free(c);
		return why;
	}
	step(c);
	return 0;
}
