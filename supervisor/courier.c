/*
 * courier - parcels, from those who must not wait to a place that may.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/courier.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/clock.h"

/* How long a delivery under way may keep the end from coming. */
static const int64_t last_moment = CLOCK_NS_PER_S / 2;

struct parcel {
	STAILQ_ENTRY(parcel) link;
	size_t len;
	char bytes[];
};

struct courier {
	const struct courier_hooks *hooks;
	void *ctx;
	size_t max;

	pthread_t thread;
	pthread_mutex_t lock;   /* guards the rest */
	pthread_cond_t work;    /* a parcel, or one of the flags */
	pthread_cond_t changed; /* empty, or not working, or over */
	STAILQ_HEAD(bag, parcel) bag;
	size_t count;
	size_t bytes; /* of all in the bag, with their heads */
	bool has_thread;
	bool working; /* with the first parcel, without the lock */
	bool held;    /* nothing is delivered */
	bool closing; /* the thread ends when the bag is empty, */
	bool leaving; /* or at once */
	bool over;    /* it has ended */
	bool alone;   /* nobody waits for it: it frees this itself */
};

struct courier *
courier_new(size_t max, const struct courier_hooks *hooks, void *ctx)
{
	struct courier *c = calloc(1, sizeof *c);
	pthread_condattr_t mono;

	if (c == NULL)
		return NULL;
	c->hooks = hooks;
	c->ctx = ctx;
	c->max = max;
	STAILQ_INIT(&c->bag);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&c->work, &mono);
	pthread_cond_init(&c->changed, &mono);
	pthread_condattr_destroy(&mono);
	return c;
}

/* With the lock held, as the next three. */
static void
drop_first(struct courier *c)
{
	struct parcel *p = STAILQ_FIRST(&c->bag);

	STAILQ_REMOVE_HEAD(&c->bag, link);
	c->count--;
	c->bytes -= sizeof *p + p->len;
	free(p);
}

/* The real clock: a test's frozen one must not stop a thread. */
static struct timespec
moment_after(int64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += t.tv_nsec;
	t.tv_sec += ns / CLOCK_NS_PER_S;
	t.tv_nsec = ns % CLOCK_NS_PER_S;
	return t;
}

static void
pause_a_little(struct courier *c)
{
	struct timespec until = moment_after(COURIER_PAUSE);
	int r = 0;

	while (!c->leaving && !c->held && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&c->work, &c->lock, &until);
}

static void
work_once(struct courier *c)
{
	struct parcel *p = STAILQ_FIRST(&c->bag);

	c->working = true;
	pthread_mutex_unlock(&c->lock);
	bool done = c->hooks->deliver(c->ctx, p->bytes, p->len);
	pthread_mutex_lock(&c->lock);
	if (done)
		drop_first(c);
	size_t left = c->count;
	if (done && c->hooks->delivered != NULL) {
		/* It may put one more in. */
		pthread_mutex_unlock(&c->lock);
		c->hooks->delivered(c->ctx, left);
		pthread_mutex_lock(&c->lock);
	}
	c->working = false;
	pthread_cond_broadcast(&c->changed);
	if (!done)
		pause_a_little(c);
}

/* When nobody uses it any more. */
static void
dispose(struct courier *c)
{
	while (c->count > 0)
		drop_first(c);
	pthread_cond_destroy(&c->changed);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void *
serve(void *arg)
{
	struct courier *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->leaving && !(c->closing && c->count == 0)) {
		if (c->count == 0 || c->held)
			pthread_cond_wait(&c->work, &c->lock);
		else
			work_once(c);
	}
	c->over = true;
	bool alone = c->alone;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	if (alone)
		dispose(c);
	return NULL;
}

static bool
start_thread(struct courier *c)
{
	sigset_t all, before;

	if (c->has_thread)
		return true;
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	c->has_thread = pthread_create(&c->thread, NULL, serve, c) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return c->has_thread;
}

bool
courier_take(struct courier *c, const char *bytes, size_t len, size_t spare)
{
	struct parcel *p = NULL;
	size_t size = sizeof *p + len;
	bool taken = false;

	/* What cannot fit is not even copied. */
	if (len <= c->max)
		p = malloc(size);
	if (p == NULL)
		return false;
	p->len = len;
	memcpy(p->bytes, bytes, len);
	pthread_mutex_lock(&c->lock);
	if (!c->closing && c->bytes + size + spare <= c->max &&
	    start_thread(c)) {
		STAILQ_INSERT_TAIL(&c->bag, p, link);
		c->count++;
		c->bytes += size;
		taken = true;
		pthread_cond_signal(&c->work);
	}
	pthread_mutex_unlock(&c->lock);
	if (!taken)
		free(p);
	return taken;
}

/* With the lock held. Until the bag is empty, or nobody is to be waited for. */
static void
wait_until_empty(struct courier *c, int64_t patience)
{
	struct timespec until = moment_after(patience);
	int r = 0;

	while ((c->count > 0 || c->working) && !c->over && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

size_t
courier_hold(struct courier *c, int64_t patience)
{
	pthread_mutex_lock(&c->lock);
	wait_until_empty(c, patience);
	c->held = true;
	pthread_cond_signal(&c->work);

	struct timespec until = moment_after(last_moment);
	int r = 0;
	while (c->working && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&c->changed, &c->lock, &until);
	size_t left = c->count;
	pthread_mutex_unlock(&c->lock);
	return left;
}

void
courier_go_on(struct courier *c)
{
	pthread_mutex_lock(&c->lock);
	c->held = false;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
}

/* Whether the thread has ended. */
static bool
end_thread(struct courier *c, int64_t patience)
{
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	c->held = false;
	pthread_cond_signal(&c->work);
	wait_until_empty(c, patience);
	c->leaving = true;
	pthread_cond_signal(&c->work);

	struct timespec until = moment_after(last_moment);
	int r = 0;
	while (!c->over && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&c->changed, &c->lock, &until);
	bool over = c->over;
	c->alone = !over;
	pthread_mutex_unlock(&c->lock);
	return over;
}

bool
courier_close(struct courier *c, int64_t patience)
{
	if (c == NULL)
		return true;
	bool has_thread = c->has_thread;
	pthread_t thread = c->thread;
	if (has_thread && !end_thread(c, patience)) {
		pthread_detach(thread); /* c is its own now */
		return false;
	}
	if (has_thread)
		pthread_join(thread, NULL);
	dispose(c);
	return true;
}
