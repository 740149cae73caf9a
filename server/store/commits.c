/*
 * commits - changes on their way through the store's thread and back.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/commits.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define IDLE_NS  (2 * CLOCK_NS_PER_S)   /* without work: time to tidy up */
#define PAUSE_NS (20 * CLOCK_NS_PER_MS) /* the same between short steps */

enum { BATCHES = 4 }; /* written and not heard, before the thread waits */

struct commits {
	struct ev_loop *loop;
	ev_async *heard;
	struct writer *writer; /* the thread's while that runs */
	pthread_t thread;
	bool running;

	/*
	 * Guards the next four. Whoever is woken wants the mutex at once and
	 * would only go to sleep on it again: it is let go before.
	 */
	pthread_mutex_t mutex;
	pthread_cond_t work; /* for the thread: to write, or to quit */
	pthread_cond_t news; /* for commits_await(): something was written */
	struct store_change *given, **given_end;
	struct batch *spare;
	struct batch *written_first, **written_end;
	bool quit;

	struct batch batches[BATCHES];
};

/* ---- the thread's side --------------------------------------------------- */

/* Under the mutex. Returns false when it is time to tidy up instead. */
static bool
wait_for_work(struct commits *c)
{
	struct timespec until;

	if (!writer_wants_idle(c->writer)) {
		pthread_cond_wait(&c->work, &c->mutex);
		return true;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += writer_wants_step(c->writer) ? PAUSE_NS : IDLE_NS;
	until.tv_sec += until.tv_nsec / CLOCK_NS_PER_S;
	until.tv_nsec %= CLOCK_NS_PER_S;
	return pthread_cond_timedwait(&c->work, &c->mutex, &until) != ETIMEDOUT;
}

/* Under the mutex: all that is given becomes one batch. */
static struct batch *
take_given(struct commits *c)
{
	struct batch *b = c->spare;

	c->spare = b->next;
	b->next = NULL;
	b->first = c->given;
	b->end = c->given_end;
	b->rest = NULL;
	b->why = (struct err){ .code = 0 };
	c->given = NULL;
	c->given_end = &c->given;
	return b;
}

/* Under the mutex: what was left out stands in front of what came since. */
static void
give_back_rest(struct commits *c, const struct batch *b)
{
	if (b->rest == NULL)
		return;
	*b->end = c->given;
	if (c->given == NULL)
		c->given_end = b->end;
	c->given = b->rest;
}

/* Under the mutex, which it lets go while it writes. */
static void
write_given(struct commits *c)
{
	struct batch *b = take_given(c);

	pthread_mutex_unlock(&c->mutex);
	int64_t began = clock_mono();
	b->result =
	    writer_write(c->writer, b->first, &b->rest, b->arena, &b->why);
	b->took = clock_mono() - began;
	b->used_bytes = writer_used_bytes(c->writer);
	pthread_mutex_lock(&c->mutex);
	give_back_rest(c, b);
	*c->written_end = b;
	c->written_end = &b->next;
	pthread_mutex_unlock(&c->mutex);

	pthread_cond_signal(&c->news);
	ev_async_send(c->loop, c->heard);
	writer_checkpoint(c->writer);
	pthread_mutex_lock(&c->mutex);
}

static void *
write_batches(void *ctx)
{
	struct commits *c = ctx;

	pthread_mutex_lock(&c->mutex);
	for (;;) {
		if (c->given != NULL && c->spare != NULL) {
			write_given(c);
		} else if (c->quit) {
			break;
		} else if (!wait_for_work(c) && c->given == NULL) {
			pthread_mutex_unlock(&c->mutex);
			writer_idle(c->writer);
			pthread_mutex_lock(&c->mutex);
		}
	}
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

/* ---- the loop's side ------------------------------------------------------ */

int
commits_start(struct commits *c, struct writer *w, struct ev_loop *loop,
    ev_async *heard, struct err *e)
{
	sigset_t all, before;

	c->writer = w;
	c->loop = loop;
	c->heard = heard;
	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&c->thread, NULL, write_batches, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return err_set(e, r, "start a thread: %s", strerror(r));
	pthread_setname_np(c->thread, "store");
	c->running = true;
	return 0;
}

/* Under the mutex. */
static struct batch *
take_written(struct commits *c)
{
	struct batch *b = c->written_first;

	c->written_first = NULL;
	c->written_end = &c->written_first;
	return b;
}

struct batch *
commits_take(struct commits *c)
{
	pthread_mutex_lock(&c->mutex);
	struct batch *b = take_written(c);
	pthread_mutex_unlock(&c->mutex);
	return b;
}

struct batch *
commits_await(struct commits *c)
{
	struct batch *b;

	pthread_mutex_lock(&c->mutex);
	while ((b = take_written(c)) == NULL)
		pthread_cond_wait(&c->news, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
	return b;
}

void
commits_give(
    struct commits *c, struct store_change *first, struct store_change **end)
{
	pthread_mutex_lock(&c->mutex);
	*c->given_end = first;
	c->given_end = end;
	pthread_mutex_unlock(&c->mutex);
	pthread_cond_signal(&c->work);
}

void
commits_heard(struct commits *c, struct batch *b)
{
	pthread_mutex_lock(&c->mutex);
	bool awaited = c->spare == NULL;

	b->next = c->spare;
	c->spare = b;
	pthread_mutex_unlock(&c->mutex);
	if (awaited)
		pthread_cond_signal(&c->work);
}

void
commits_end(struct commits *c)
{
	if (!c->running)
		return;
	pthread_mutex_lock(&c->mutex);
	c->quit = true;
	pthread_mutex_unlock(&c->mutex);
	pthread_cond_signal(&c->work);
	pthread_join(c->thread, NULL);
	c->running = false;
}

static void
init_turns(struct commits *c)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&c->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->work, &attr);
	pthread_cond_init(&c->news, NULL);
	pthread_condattr_destroy(&attr);
}

struct commits *
commits_new(void)
{
	struct commits *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	init_turns(c);
	c->given_end = &c->given;
	c->written_end = &c->written_first;
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *b = &c->batches[i];

		b->arena = arena_new();
		if (b->arena == NULL) {
			commits_free(c);
			return NULL;
		}
		b->next = c->spare;
		c->spare = b;
	}
	return c;
}

void
commits_free(struct commits *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < BATCHES; i++)
		arena_free(c->batches[i].arena);
	pthread_cond_destroy(&c->work);
	pthread_cond_destroy(&c->news);
	pthread_mutex_destroy(&c->mutex);
	free(c);
}
