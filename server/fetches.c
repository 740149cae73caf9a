/*
 * fetches - those who wait, linked to each queue they wait at.
 *
 *   WAITING --job in a queue--> TAKING --on disk--> over
 *      |  ^                        |
 *      |  +--- the disk refused ---+ (told as failed)
 *      +--- 2 s --> over
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/fetches.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/weights.h"

struct fetch_link {
	struct fetch *fetch;
	struct queue *queue;
	struct fetch_link *prev, *next; /* at the queue */
};

struct fetch {
	struct fetches *all;
	void *who; /* NULL once abandoned */
	bool taking;
	ev_timer patience;
	char *wid;
	size_t nlinks;
	struct fetch_link links[];
};

struct fetches {
	struct ev_loop *loop;
	struct jobs *jobs;
	struct queues *queues;
	const struct fetch_hooks *hooks;
};

struct fetches *
fetches_new(struct ev_loop *loop, struct jobs *jobs, struct queues *queues,
    const struct fetch_hooks *hooks)
{
	struct fetches *fs = calloc(1, sizeof *fs);

	if (fs == NULL)
		return NULL;
	fs->loop = loop;
	fs->jobs = jobs;
	fs->queues = queues;
	fs->hooks = hooks;
	return fs;
}

void
fetches_free(struct fetches *fs)
{
	free(fs);
}

static void
join(struct fetch *f)
{
	for (size_t i = 0; i < f->nlinks; i++) {
		struct fetch_link *l = &f->links[i];
		struct queue *q = l->queue;

		l->prev = q->last_wait;
		l->next = NULL;
		*(q->last_wait != NULL ? &q->last_wait->next : &q->first_wait) =
		    l;
		q->last_wait = l;
	}
}

static void
leave(struct fetch *f)
{
	for (size_t i = 0; i < f->nlinks; i++) {
		struct fetch_link *l = &f->links[i];
		struct queue *q = l->queue;

		*(l->prev != NULL ? &l->prev->next : &q->first_wait) = l->next;
		*(l->next != NULL ? &l->next->prev : &q->last_wait) = l->prev;
	}
}

static void
end(struct fetch *f)
{
	ev_timer_stop(f->all->loop, &f->patience);
	free(f->wid);
	free(f);
}

static void taken(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d);

static bool
gives(const struct queue *q)
{
	return !q->paused && q->head != NULL;
}

/* Of its queues with weights; from is the first of them that gives. */
static struct queue *
next_weighted(const struct fetch *f, size_t from)
{
	struct queue *ready[FETCH_QUEUES_MAX];
	size_t n = 0;

	for (size_t i = from; i < f->nlinks; i++)
		if (f->links[i].queue->weight > 0 && gives(f->links[i].queue))
			ready[n++] = f->links[i].queue;
	return weights_next(ready, n);
}

/*
 * Takes from the first queue that has something; queues with weights stand
 * together where the first of them stands. False: none has.
 */
static bool
try_queues(struct fetch *f)
{
	for (size_t i = 0; i < f->nlinks; i++) {
		struct queue *q = f->links[i].queue;

		if (!gives(q))
			continue;
		if (q->weight > 0)
			q = next_weighted(f, i);
		if (jobs_take(f->all->jobs, q, f->wid, taken, f) < 0)
			continue; /* short of memory: as if it were empty */
		f->taking = true;
		return true;
	}
	return false;
}

static void
taken(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	struct fetch *f = ctx;
	struct fetches *fs = f->all;

	f->taking = false;
	if (result == 0) {
		if (f->who == NULL || !fs->hooks->job(f->who, e, d))
			jobs_give_back(fs->jobs, e);
		end(f);
		return;
	}
	if (f->who == NULL) {
		end(f);
		return;
	}
	if (result == -ENOENT) {
		/* It was flushed away; perhaps there is another. */
		if (!try_queues(f))
			join(f);
		return;
	}
	fs->hooks->failed(f->who, why);
	end(f);
}

static void
out_of_patience(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct fetch *f = w->data;

	(void)loop;
	(void)revents;
	if (!f->taking)
		fetch_give_up(f);
}

struct fetch *
fetch_start(struct fetches *fs, const char *const *names, const size_t *lens,
    size_t n, const char *wid, bool asleep, void *who)
{
	struct fetch *f = calloc(1, sizeof *f + n * sizeof(struct fetch_link));
	size_t used = 0;

	if (f == NULL || (f->wid = strdup(wid)) == NULL) {
		free(f);
		return NULL;
	}
	f->all = fs;
	f->who = who;
	for (size_t i = 0; i < n && !asleep; i++) {
		struct queue *q = queues_get(fs->queues, names[i], lens[i]);

		if (q == NULL) {
			free(f->wid);
			free(f);
			return NULL;
		}
		f->links[used].fetch = f;
		f->links[used++].queue = q;
	}
	f->nlinks = used;
	ev_timer_init(&f->patience, out_of_patience, FETCH_WAIT, 0.);
	f->patience.data = f;
	ev_timer_start(fs->loop, &f->patience);
	if (!try_queues(f))
		join(f);
	return f;
}

void
fetch_abandon(struct fetch *f)
{
	f->who = NULL;
	if (f->taking)
		return; /* taken() ends it */
	leave(f);
	end(f);
}

void
fetch_give_up(struct fetch *f)
{
	void *who = f->who;
	struct fetches *fs = f->all;

	if (f->taking)
		return;
	leave(f);
	end(f);
	fs->hooks->nothing(who);
}

void
fetches_serve(struct fetches *fs, struct queue *q)
{
	(void)fs;
	while (gives(q) && q->first_wait != NULL) {
		struct fetch *f = q->first_wait->fetch;

		/* It takes from the first queue on its own list. */
		leave(f);
		if (!try_queues(f)) {
			join(f);
			return;
		}
	}
}
