/*
 * cmd_queue - QUEUE: pause, resume and remove queues, ask how late they are.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "protocol/job.h"
#include "server/commands.h"
#include "server/parts.h"
#include "server/queue_state.h"

enum { NAMES_MAX = 1024 };

struct words {
	const char *at[NAMES_MAX];
	size_t len[NAMES_MAX];
	size_t count;
};

/* One QUEUE command that waits for the disk. */
struct request {
	struct pending pending;
	size_t open;        /* queues that have not answered */
	struct err trouble; /* the first; code 0: none */
};

/* ---- the line -------------------------------------------------------------- */

/* False: there are too many. */
static bool
cut(const char *arg, size_t len, struct words *w)
{
	w->count = 0;
	while (len > 0) {
		const char *space = memchr(arg, ' ', len);
		size_t n = space != NULL ? (size_t)(space - arg) : len;
		size_t step = space != NULL ? n + 1 : n;

		if (n > 0) {
			if (w->count == NAMES_MAX)
				return false;
			w->at[w->count] = arg;
			w->len[w->count++] = n;
		}
		arg += step;
		len -= step;
	}
	return true;
}

static bool
is_star(const struct words *w, size_t i)
{
	return i < w->count && w->len[i] == 1 && w->at[i][0] == '*';
}

static bool
names_fit(struct conn *c, const struct words *w, size_t from)
{
	for (size_t i = from; i < w->count; i++)
		if (!job_queue_name_ok(w->at[i], w->len[i])) {
			conn_error(c, "%.*s is no queue's name",
			    (int)(w->len[i] < 100 ? w->len[i] : 100), w->at[i]);
			return false;
		}
	return true;
}

/* ---- PAUSE, RESUME, REMOVE -------------------------------------------------- */

static void
answer(struct request *r)
{
	struct conn *c = conn_resume(&r->pending);

	if (c != NULL && r->trouble.code == 0)
		conn_ok(c);
	else if (c != NULL)
		conn_error(c, "%s", r->trouble.text);
	free(r);
}

static void
one_done(void *ctx, int result, const struct err *why)
{
	struct request *r = ctx;

	if (result < 0 && r->trouble.code == 0)
		r->trouble = *why;
	if (--r->open == 0)
		answer(r);
}

static int
pause_one(struct server *s, struct queue *q, struct request *r)
{
	return queue_state_pause(s->jobs, q, true, one_done, r);
}

/* Whether it is there, or will be by what is on its way to the disk. */
static bool
is_there(const struct queue *q)
{
	return q->known || q->paused || q->pausing > 0;
}

/* What nobody has paused is running. */
static int
resume_one(struct server *s, struct queue *q, struct request *r)
{
	if (!is_there(q)) {
		r->open--;
		return 0;
	}
	return queue_state_pause(s->jobs, q, false, one_done, r);
}

static int
remove_one(struct server *s, struct queue *q, struct request *r)
{
	return queue_state_remove(s->jobs, q, one_done, r);
}

typedef int act_fn(struct server *s, struct queue *q, struct request *r);

static void
act_on(struct server *s, struct queue *q, struct request *r, act_fn *act)
{
	r->open++;
	if (q != NULL && act(s, q, r) == 0)
		return;
	r->open--;
	if (r->trouble.code == 0)
		err_set(&r->trouble, ENOMEM, "out of memory");
}

static void
act_on_all(struct server *s, struct request *r, act_fn *act)
{
	size_t cursor = 0;
	struct queue *q;

	while ((q = queues_next(s->queues, &cursor)) != NULL)
		if (is_there(q))
			act_on(s, q, r, act);
}

static void
change(struct conn *c, const struct words *w, const char *what, act_fn *act)
{
	struct request *r;
	bool all = is_star(w, 1);

	if (w->count < 2) {
		conn_error(c, "QUEUE %s takes names of queues, or *", what);
		return;
	}
	if (!all && !names_fit(c, w, 1))
		return;
	r = calloc(1, sizeof *r);
	if (r == NULL) {
		conn_error(c, "out of memory");
		return;
	}
	log_say(LOG_LEVEL_INFO, c->peer, "QUEUE %s %.*s%s", what,
	    (int)(w->len[1] < 200 ? w->len[1] : 200), w->at[1],
	    w->count > 2 ? " and others" : "");
	if (all)
		act_on_all(c->server, r, act);
	for (size_t i = 1; !all && i < w->count; i++)
		act_on(c->server,
		    queues_get(c->server->queues, w->at[i], w->len[i]), r, act);
	if (r->open > 0) {
		conn_wait(c, &r->pending);
		return;
	}
	if (r->trouble.code == 0)
		conn_ok(c);
	else
		conn_error(c, "%s", r->trouble.text);
	free(r);
}

/* ---- LATENCY ---------------------------------------------------------------- */

struct lateness {
	struct pending pending;
	size_t open;
	size_t count;
	struct late {
		struct lateness *all;
		const struct queue *queue;
		int64_t since; /* wall clock; 0: not late */
	} of[];
};

static int
put_lateness(struct buf *out, const struct lateness *l)
{
	int64_t now = clock_wall();
	int r = buf_putc(out, '{');

	for (size_t i = 0; r == 0 && i < l->count; i++) {
		const struct late *one = &l->of[i];
		int64_t ns =
		    one->since > 0 && one->since < now ? now - one->since : 0;

		if (i > 0)
			r = buf_putc(out, ',');
		if (r == 0)
			r = json_put_string(
			    out, one->queue->name, one->queue->name_len);
		if (r == 0)
			r = buf_printf(
			    out, ":%.9g", (double)ns / (double)CLOCK_NS_PER_S);
	}
	return r == 0 ? buf_putc(out, '}') : r;
}

static void
tell_lateness(struct conn *c, const struct lateness *l)
{
	struct buf *reply = c->server->scratch;

	buf_clear(reply);
	if (put_lateness(reply, l) < 0)
		conn_error(c, "out of memory");
	else
		conn_bulk(c, buf_front(reply), buf_len(reply));
}

static void
one_seen(void *ctx, int64_t since)
{
	struct late *one = ctx;
	struct lateness *l = one->all;

	one->since = since;
	if (--l->open > 0)
		return;
	struct conn *c = conn_resume(&l->pending);
	if (c != NULL)
		tell_lateness(c, l);
	free(l);
}

static bool
is_listed(const struct lateness *l, const struct queue *q)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->of[i].queue == q)
			return true;
	return false;
}

/* False when memory is short. */
static bool
ask_lateness(struct server *s, const struct words *w, struct lateness *l)
{
	for (size_t i = 1; i < w->count; i++) {
		struct queue *q = queues_get(s->queues, w->at[i], w->len[i]);

		if (q == NULL)
			return false;
		if (is_listed(l, q))
			continue;
		struct late *one = &l->of[l->count++];
		*one = (struct late){ .all = l, .queue = q };
		if (q->head != NULL &&
		    queue_state_latency(s->jobs, q, one_seen, one) == 0)
			l->open++;
	}
	return true;
}

static void
latency(struct conn *c, const struct words *w)
{
	struct lateness *l;

	if (w->count == 2 && is_star(w, 1)) {
		conn_error(c, "QUEUE LATENCY does not support wildcards");
		return;
	}
	if (!names_fit(c, w, 1))
		return;
	l = calloc(1, sizeof *l + w->count * sizeof l->of[0]);
	if (l == NULL || (!ask_lateness(c->server, w, l) && l->open == 0)) {
		conn_error(c, "out of memory");
		free(l);
	} else if (l->open > 0) {
		conn_wait(c, &l->pending);
	} else {
		tell_lateness(c, l);
		free(l);
	}
}

/* ---- the verb ---------------------------------------------------------------- */

static bool
is_word(const struct words *w, const char *word)
{
	return w->count > 0 && w->len[0] == strlen(word) &&
	    strncasecmp(w->at[0], word, w->len[0]) == 0;
}

void
cmd_queue(struct conn *c, const char *arg, size_t len)
{
	struct words w;

	if (!cut(arg, len, &w))
		conn_error(c, "QUEUE takes at most %d names", NAMES_MAX - 1);
	else if (is_word(&w, "PAUSE"))
		change(c, &w, "PAUSE", pause_one);
	else if (is_word(&w, "RESUME"))
		change(c, &w, "RESUME", resume_one);
	else if (is_word(&w, "REMOVE"))
		change(c, &w, "REMOVE", remove_one);
	else if (is_word(&w, "LATENCY"))
		latency(c, &w);
	else
		conn_error(c, "no such QUEUE subcommand: %.*s",
		    (int)(w.count > 0 && w.len[0] < 100 ? w.len[0] : 0),
		    w.count > 0 ? w.at[0] : "");
}
