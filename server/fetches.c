/*
 * fetches - those who wait, linked to each queue they wait at.
 *
 *   WAITING --job in a queue, or being pushed--> TAKING --on disk--> over
 *      |  ^                                         |
 *      |  +--- there was no such job ---------------+--- refused --> over
 *      +--- 2 s --> over                                 (told as failed)
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
	bool given_up; /* while it was taking */
	uint64_t turn; /* the smaller, the longer it has been waiting */
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
	uint64_t turns; /* given so far */
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

/* Behind those who have waited longer: at the end, or near the front. */
static struct fetch_link *
find_place(const struct queue *q, uint64_t turn)
{
	struct fetch_link *after = q->last_wait, *first = q->first_wait;

	if (after == NULL || after->fetch->turn < turn)
		return after;
	if (turn < first->fetch->turn)
		return NULL;
	after = first;
	while (after->next->fetch->turn < turn)
		after = after->next;
	return after;
}

static void
join(struct fetch *f)
{
	for (size_t i = 0; i < f->nlinks; i++) {
		struct fetch_link *l = &f->links[i];
		struct queue *q = l->queue;

		l->prev = find_place(q, f->turn);
		l->next = l->prev != NULL ? l->prev->next : q->first_wait;
		*(l->prev != NULL ? &l->prev->next : &q->first_wait) = l;
		*(l->next != NULL ? &l->next->prev : &q->last_wait) = l;
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

/* There was no job after all; perhaps there is another. */
static void
go_on(struct fetch *f)
{
	if (f->given_up) {
		void *who = f->who;
		struct fetches *fs = f->all;

		end(f);
		fs->hooks->nothing(who);
		return;
	}
	if (!try_queues(f))
		join(f);
}

static void
hand_over(struct fetch *f, struct entry *e, const struct jobs_delivery *d)
{
	struct fetches *fs = f->all;

	if (f->who == NULL || !fs->hooks->job(f->who, e, d))
		jobs_give_back(fs->jobs, e);
	end(f);
}

static void
taken(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	struct fetch *f = ctx;

	f->taking = false;
	if (result == 0) {
		hand_over(f, e, d);
	} else if (f->who == NULL) {
		end(f);
	} else if (result == -ENOENT) {
		go_on(f);
	} else {
		f->all->hooks->failed(f->who, why);
		end(f);
	}
}

/* Who pushed it hears of the refusal; for who waits nothing has changed. */
static void
pushed(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	struct fetch *f = ctx;

	(void)why;
	f->taking = false;
	if (result == 0)
		hand_over(f, e, d);
	else if (f->who == NULL)
		end(f);
	else
		go_on(f);
}

/*
 * Whether try_queues() would choose this queue, had it a job: nothing is in a
 * queue that is asked before, or beside it by weight, nor on its way there.
 */
static bool
would_choose(const struct fetch *f, const struct queue *q)
{
	bool before = true;

	for (size_t i = 0; i < f->nlinks; i++) {
		const struct queue *other = f->links[i].queue;

		if (other == q)
			before = false;
		else if ((before || (q->weight > 0 && other->weight > 0)) &&
		    !other->paused &&
		    (other->head != NULL || other->coming > 0))
			return false;
	}
	return true;
}

bool
fetches_claim(struct fetches *fs, struct queue *q, struct jobs_waiter *w)
{
	struct fetch *f = q->first_wait != NULL ? q->first_wait->fetch : NULL;

	(void)fs;
	if (f == NULL || !would_choose(f, q))
		return false;
	leave(f);
	f->taking = true;
	w->wid = f->wid;
	w->done = pushed;
	w->ctx = f;
	return true;
}

static void
out_of_patience(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct fetch *f = w->data;

	(void)loop;
	(void)revents;
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
	f->turn = fs->turns++;
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

	if (f->taking) {
		f->given_up = true;
		return;
	}
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
