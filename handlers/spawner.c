/*
 * spawner - start programs beside the event loop.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/spawner.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "handlers/cgroup.h"
#include "handlers/pipes.h"

enum {
	THREADS_MIN = 2,
	THREAD_STACK = 256 * 1024,
	FREE_PATIENCE = 1, /* s */
};

#define STUCK_AFTER 0.05 /* s without a start being finished */

struct spawner_ticket {
	struct spawner_ticket *next;
	const struct spawn_request *req; /* borrowed until done */
	spawner_done *done;
	void *ctx;
	int result;
	struct spawn_child child;
	struct spawn_failure why;
};

struct queue {
	struct spawner_ticket *first;
	struct spawner_ticket *last; /* undefined while first is NULL */
};

struct spawner {
	/* Of the loop alone. */
	struct ev_loop *loop;
	ev_async finished_some;
	ev_timer patience;  /* active while something waits for a thread */
	unsigned long seen; /* started, when patience last looked */
	unsigned pending;   /* tickets; each keeps the loop running */
	struct spawner
	    *patient; /* for transient units; NULL before the first */

	/* Of everyone, under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t work; /* waiting, or closing */
	pthread_cond_t gone; /* threads */
	struct queue waiting;
	struct queue finished;
	struct pipes ready;    /* for the next start, of all threads */
	bool readied;          /* since the last start, or it was tried */
	unsigned long started; /* tickets that threads have taken so far */
	pthread_t ids[SPAWNER_THREADS_MAX];
	int threads; /* ever made: the first ids */
	int running;
	bool closing;
	bool abandoned; /* the last thread out frees everything */
};

static void
push(struct queue *q, struct spawner_ticket *t)
{
	t->next = NULL;
	if (q->first == NULL)
		q->first = t;
	else
		q->last->next = t;
	q->last = t;
}

static struct spawner_ticket *
pop(struct queue *q)
{
	struct spawner_ticket *t = q->first;

	if (t != NULL)
		q->first = t->next;
	return t;
}

/* Nobody will hear of this child. */
static void
discard(struct spawner_ticket *t)
{
	if (t->result == 0) {
		kill(-t->child.pid, SIGKILL);
		while (waitpid(t->child.pid, NULL, 0) < 0 && errno == EINTR)
			;
		pidspace_end(&t->child.space);
		cgroup_free(t->child.leaf);
		close(t->child.pidfd);
		close(t->child.out);
		close(t->child.err);
		if (t->child.in >= 0)
			close(t->child.in);
		if (t->child.control >= 0)
			close(t->child.control);
	}
	free(t);
}

static void
destroy(struct spawner *s)
{
	struct spawner_ticket *t;

	while ((t = pop(&s->waiting)) != NULL)
		free(t);
	while ((t = pop(&s->finished)) != NULL)
		discard(t);
	pipes_close(&s->ready);
	pthread_cond_destroy(&s->gone);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* With the lock. What is left of a set gives way to a whole one. */
static void
keep_ready(struct spawner *s, struct pipes *ready)
{
	if (s->ready.out[PIPES_R] < 0) {
		struct pipes left = s->ready;

		s->ready = *ready;
		*ready = left;
	}
	pipes_close(ready);
}

static struct pipes
take_ready(struct spawner *s)
{
	struct pipes ready = s->ready;

	s->ready = pipes_none;
	return ready;
}

/* With the lock; released meanwhile. What cannot be made is told by a start. */
static void
make_ready(struct spawner *s)
{
	struct pipes ready = take_ready(s);

	s->readied = true;
	pthread_mutex_unlock(&s->lock);
	(void)pipes_make_ready(&ready);
	pthread_mutex_lock(&s->lock);
	keep_ready(s, &ready);
}

/* With the lock; released while the program starts. */
static void
start_one(struct spawner *s)
{
	struct spawner_ticket *t = pop(&s->waiting);
	struct pipes ready = take_ready(s);

	s->readied = false;
	s->started++;
	pthread_mutex_unlock(&s->lock);
	t->result = spawn_by(t->req, &ready, &t->child, &t->why);
	pthread_mutex_lock(&s->lock);
	keep_ready(s, &ready);
	push(&s->finished, t);
	if (!s->closing)
		ev_async_send(s->loop, &s->finished_some);
}

static void *
serve(void *arg)
{
	struct spawner *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->closing) {
		if (s->waiting.first != NULL)
			start_one(s);
		else if (!s->readied)
			make_ready(s);
		else
			pthread_cond_wait(&s->work, &s->lock);
	}
	bool last = --s->running == 0 && s->abandoned;
	pthread_cond_signal(&s->gone);
	pthread_mutex_unlock(&s->lock);
	if (last)
		destroy(s);
	return NULL;
}

/* With the lock. Signals are for the loop's thread. */
static int
add_thread(struct spawner *s)
{
	pthread_attr_t attr;
	sigset_t all, before;

	int r = pthread_attr_init(&attr);
	if (r != 0)
		return -r;
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&s->ids[s->threads], &attr, serve, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (r != 0)
		return -r;
	s->threads++;
	s->running++;
	return 0;
}

static void
on_finished(struct ev_loop *loop, ev_async *w, int events)
{
	struct spawner *s = w->data;
	struct spawner_ticket *t;

	(void)events;
	pthread_mutex_lock(&s->lock);
	struct queue ready = s->finished;
	s->finished.first = NULL;
	if (s->waiting.first == NULL)
		ev_timer_stop(loop, &s->patience);
	pthread_mutex_unlock(&s->lock);

	while ((t = pop(&ready)) != NULL) {
		s->pending--;
		ev_unref(loop);
		t->done(t->ctx, t->result, &t->child, &t->why);
		free(t);
	}
}

/* Work waits, and since the last look no thread has come to take any. */
static void
on_patience(struct ev_loop *loop, ev_timer *w, int events)
{
	struct spawner *s = w->data;

	(void)events;
	pthread_mutex_lock(&s->lock);
	bool waiting = s->waiting.first != NULL;
	bool stuck = waiting && s->started == s->seen;
	if (stuck && s->threads < SPAWNER_THREADS_MAX)
		(void)add_thread(s); /* short of threads: asked again soon */
	s->seen = s->started;
	pthread_mutex_unlock(&s->lock);
	if (!waiting)
		ev_timer_stop(loop, w);
}

static void
keep_statuses(void)
{
	struct sigaction now;

	if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
}

struct spawner *
spawner_new(struct ev_loop *loop)
{
	struct spawner *s = calloc(1, sizeof *s);
	pthread_condattr_t mono;

	if (s == NULL)
		return NULL;
	keep_statuses();
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->gone, &mono);
	pthread_condattr_destroy(&mono);

	s->ready = pipes_none;
	s->loop = loop;
	ev_async_init(&s->finished_some, on_finished);
	ev_timer_init(&s->patience, on_patience, STUCK_AFTER, STUCK_AFTER);
	s->finished_some.data = s;
	s->patience.data = s;
	ev_async_start(loop, &s->finished_some);
	ev_unref(loop);

	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < THREADS_MIN; i++)
		(void)add_thread(s);
	int threads = s->threads;
	pthread_mutex_unlock(&s->lock);
	if (threads == 0) {
		spawner_free(s);
		return NULL;
	}
	return s;
}

/* The watchers leave the loop, and what is still to be delivered with them. */
static void
leave_loop(struct spawner *s)
{
	for (; s->pending > 0; s->pending--)
		ev_unref(s->loop);
	ev_ref(s->loop);
	ev_async_stop(s->loop, &s->finished_some);
	ev_timer_stop(s->loop, &s->patience);
}

void
spawner_free(struct spawner *s)
{
	struct timespec until;

	if (s == NULL)
		return;
	spawner_free(s->patient);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += FREE_PATIENCE;

	pthread_mutex_lock(&s->lock);
	s->closing = true;
	pthread_cond_broadcast(&s->work);
	int r = 0;
	while (s->running > 0 && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&s->gone, &s->lock, &until);
	leave_loop(s);
	bool all_gone = s->running == 0;
	s->abandoned = !all_gone;
	for (int i = 0; s->abandoned && i < s->threads; i++)
		pthread_detach(s->ids[i]);
	pthread_mutex_unlock(&s->lock);
	if (!all_gone)
		return;
	for (int i = 0; i < s->threads; i++)
		pthread_join(s->ids[i], NULL);
	destroy(s);
}

/* A service manager that hangs holds up only those who need it. */
static struct spawner *
patient(struct spawner *s)
{
	if (s->patient == NULL)
		s->patient = spawner_new(s->loop);
	return s->patient;
}

struct spawner_ticket *
spawner_start(struct spawner *s, const struct spawn_request *req,
    spawner_done *done, void *ctx)
{
	if (req->scope != NULL)
		s = patient(s);
	struct spawner_ticket *t = s != NULL ? malloc(sizeof *t) : NULL;
	if (t == NULL)
		return NULL;
	*t = (struct spawner_ticket){ .req = req, .done = done, .ctx = ctx };

	pthread_mutex_lock(&s->lock);
	push(&s->waiting, t);
	unsigned long started = s->started;
	pthread_mutex_unlock(&s->lock);
	/* Who is woken with the mutex held may run at once, and sleep again. */
	pthread_cond_signal(&s->work);

	s->pending++;
	ev_ref(s->loop);
	if (!ev_is_active(&s->patience)) {
		s->seen = started;
		ev_timer_again(s->loop, &s->patience);
	}
	return t;
}
