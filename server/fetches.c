/*
 * fetches - those who wait, linked to each queue they wait at.
 *
 *   WAITING --jobs in queues, or one being pushed--> TAKING --on disk--> over
 *      |  ^                                             |
 *      |  +--- there were no such jobs -----------------+--- refused --> over
 *      +--- 2 s --> over                                 (told as failed)
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/fetches.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/fetchb.h"
#include "server/weights.h"

struct fetch_link {
	struct fetch *fetch;
	struct queue *queue;
	size_t most;                    /* jobs from this queue */
	size_t left;                    /* of them, in this try */
	struct fetch_link *prev, *next; /* at the queue */
};

struct fetch {
	struct fetches *all;
	void *who;     /* NULL once abandoned */
	size_t most;   /* jobs that it asks for */
	size_t taking; /* those of which the disk has not told yet */
	size_t shown;  /* those that were handed over, or were to be */
	bool full;     /* no more can be handed over */
	bool given_up; /* while it was taking */
	bool refused;  /* by the disk: why */
	struct err why;
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

static bool
link_gives(const struct fetch_link *l)
{
	return l->left > 0 && gives(l->queue);
}

/* Of its queues with weights; from is the first of them that gives. */
static struct fetch_link *
next_weighted(struct fetch *f, size_t from)
{
	struct queue *ready[FETCH_QUEUES_MAX];
	size_t n = 0, i = from;

	for (; i < f->nlinks; i++)
		if (f->links[i].queue->weight > 0 && link_gives(&f->links[i]))
			ready[n++] = f->links[i].queue;
	const struct queue *q = weights_next(ready, n);
	for (i = from; f->links[i].queue != q; i++)
		;
	return &f->links[i];
}

/*
 * Takes from the first queue that has something; queues with weights stand
 * together where the first of them stands. False: none has.
 */
static bool
take_one(struct fetch *f)
{
	for (size_t i = 0; i < f->nlinks; i++) {
		struct fetch_link *l = &f->links[i];

		if (!link_gives(l))
			continue;
		if (l->queue->weight > 0)
			l = next_weighted(f, i);
		if (jobs_take(f->all->jobs, l->queue, f->wid, taken, f) < 0)
			continue; /* short of memory: as if it were empty */
		l->left--;
		f->taking++;
		return true;
	}
	return false;
}

/*
 * As many as it asks for, but no more than are likely to fit into one answer:
 * how large a job is, is known when it has been taken, and what does not fit
 * has to be put back.
 */
static size_t
how_many(const struct fetch *f)
{
	size_t largest = 1, fit;

	if (f->most == 1)
		return 1;
	for (size_t i = 0; i < f->nlinks; i++)
		if (gives(f->links[i].queue) &&
		    f->links[i].queue->bulk > largest)
			largest = f->links[i].queue->bulk;
	fit = FETCHB_BYTES_MAX / largest;
	return fit == 0 ? 1 : fit < f->most ? fit : f->most;
}

static bool
try_queues(struct fetch *f)
{
	size_t most = how_many(f);

	for (size_t i = 0; i < f->nlinks; i++)
		f->links[i].left = f->links[i].most;
	while (f->taking < most && take_one(f))
		;
	return f->taking > 0;
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

/* A queue of large jobs is known by the last of them, for a while. */
static void
weigh(struct queue *q, const struct jobs_delivery *d)
{
	size_t size = d->payload_len + d->failure_len;

	q->bulk -= q->bulk / 8;
	if (q->bulk < size)
		q->bulk = size;
}

/* Once one was put back all behind it are: else the order would be lost. */
static void
hand_over(struct fetch *f, struct entry *e, const struct jobs_delivery *d)
{
	struct fetches *fs = f->all;

	weigh(e->queue, d);
	f->shown++;
	f->full = f->full || f->who == NULL || !fs->hooks->job(f->who, e, d);
	if (f->full)
		jobs_give_back(fs->jobs, e);
}

/* The disk has told of one; after the last there is an answer. */
static void
heard(struct fetch *f)
{
	const struct fetch_hooks *hooks = f->all->hooks;
	void *who = f->who;

	if (--f->taking > 0)
		return;
	if (who != NULL && f->shown == 0 && !f->refused) {
		go_on(f);
		return;
	}
	if (who != NULL && f->shown == 0)
		hooks->failed(who, &f->why);
	else if (who != NULL)
		hooks->over(who);
	end(f);
}

static void
taken(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	struct fetch *f = ctx;

	if (result == 0) {
		hand_over(f, e, d);
	} else if (result != -ENOENT) {
		f->refused = true;
		f->why = *why;
	}
	heard(f);
}

/* Who pushed it hears of the refusal; for who waits nothing has changed. */
static void
pushed(void *ctx, int result, const struct err *why, struct entry *e,
    const struct jobs_delivery *d)
{
	struct fetch *f = ctx;

	(void)why;
	if (result == 0)
		hand_over(f, e, d);
	heard(f);
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
	f->taking = 1;
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
fetch_start(struct fetches *fs, const struct fetch_wish *wish, void *who)
{
	size_t n = wish->asleep ? 0 : wish->nqueues;
	struct fetch *f = calloc(1, sizeof *f + n * sizeof(struct fetch_link));

	if (f == NULL || (f->wid = strdup(wish->wid)) == NULL) {
		free(f);
		return NULL;
	}
	f->all = fs;
	f->who = who;
	f->most = wish->jobs;
	f->turn = fs->turns++;
	for (size_t i = 0; i < n; i++) {
		struct queue *q =
		    queues_get(fs->queues, wish->names[i], wish->lens[i]);

		if (q == NULL) {
			free(f->wid);
			free(f);
			return NULL;
		}
		f->links[i].fetch = f;
		f->links[i].queue = q;
		f->links[i].most =
		    wish->limits != NULL ? wish->limits[i] : SIZE_MAX;
	}
	f->nlinks = n;
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
	if (f->taking > 0)
		return; /* heard() ends it */
	leave(f);
	end(f);
}

void
fetch_give_up(struct fetch *f)
{
	void *who = f->who;
	struct fetches *fs = f->all;

	if (f->taking > 0) {
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
