/*
 * fetch - up to FETCH_LINES conversations that ask for jobs.
 *
 * The window says how many questions may be in flight. It is 1 while jobs are
 * few, so that an idle worker keeps a single FETCH waiting in the server, and
 * grows with each job that came at once: the queue has more of them than one
 * question after the other can bring.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch.h"

#include <stdbool.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/holdoff.h"
#include "supervisor/client.h"
#include "supervisor/fetch_order.h"

/* Faster than this, a job was there before we asked. */
#define AT_ONCE (50 * CLOCK_NS_PER_MS)

/* A server that has no job waits 2 s; one that does not must not be asked in
 * a tight loop. */
#define TOO_SOON (200 * CLOCK_NS_PER_MS)

/* How long a conversation beyond the first may go unused. */
#define UNUSED_MAX (60 * CLOCK_NS_PER_S)

enum {
	STREAK_STEP = 4, /* jobs at once in a row, to widen the window by 1 */
	LINE_MAX = 64 * 1024 * 1024,
};

struct line {
	struct fetch *fetch;
	struct client *client; /* NULL while closed, except for the first */
	bool asking;
	int64_t asked_at; /* while asking */
	int64_t used_at;  /* the last time it asked */
	bool *queues;     /* while asking: those it asked for; owned */
	bool any_queue;   /* they are not known any more: it may be any */
};

struct fetch {
	struct line lines[FETCH_LINES];
	size_t in_flight;
	uint64_t asked;
	unsigned streak;
	ev_timer pause; /* active after an error: nothing is asked */
	ev_timer tidy;  /* active while more than one line is open */
	struct holdoff holdoff;
	char last_error[128]; /* told once, until something else happens */
	struct fetch_order *order;
	bool *with; /* the queues of the next question; owned */
	struct buf *request;

	struct ev_loop *loop;
	const struct identity *who;
	const struct fetch_hooks *hooks;
	void *ctx;
};

static const char *const names[FETCH_LINES] = { "fetch", "fetch 2", "fetch 3" };

static void
hold_off(struct fetch *f, double seconds)
{
	ev_timer_stop(f->loop, &f->pause);
	ev_timer_set(&f->pause, seconds, 0.);
	ev_timer_start(f->loop, &f->pause);
}

static void
took_error(struct fetch *f, const struct resp *r)
{
	char text[sizeof f->last_error];
	size_t len = r->len < sizeof text - 1 ? r->len : sizeof text - 1;
	double rest = holdoff_next(&f->holdoff);

	memcpy(text, r->text, len);
	text[len] = '\0';
	log_say(strcmp(text, f->last_error) == 0 ? LOG_LEVEL_DEBUG
						 : LOG_LEVEL_WARNING,
	    "server", "answers FETCH with \"%s\"; next in %.1f s", text, rest);
	memcpy(f->last_error, text, sizeof text);
	hold_off(f, rest);
}

static void
took_job(struct fetch *f, struct line *l, const struct resp *r)
{
	if (clock_mono() - l->asked_at > AT_ONCE)
		f->streak = 0;
	else if (f->streak < STREAK_STEP * FETCH_LINES)
		f->streak++;
	f->holdoff.fails = 0;
	f->last_error[0] = '\0';
	f->hooks->got(f->ctx, r->text, r->len, l->asked_at);
}

static void
on_reply(void *ctx, const struct resp *r)
{
	struct line *l = ctx;
	struct fetch *f = l->fetch;

	l->asking = false;
	f->in_flight--;
	if (r != NULL && r->kind == RESP_BULK) {
		took_job(f, l, r);
		fetch_poke(f);
		return;
	}

	f->streak = 0;
	if (r == NULL) {
		/* The client tells of it and comes back by itself. */
	} else if (r->kind == RESP_NULL) {
		f->holdoff.fails = 0;
		f->last_error[0] = '\0';
		if (clock_mono() - l->asked_at < TOO_SOON)
			hold_off(f, 0.5);
	} else if (r->kind == RESP_ERROR) {
		took_error(f, r);
	} else {
		static const char odd[] = "something that is no job";

		took_error(
		    f, &(struct resp){ .text = odd, .len = sizeof odd - 1 });
	}
	f->hooks->none(f->ctx);
	fetch_poke(f);
}

/* How many of the questions in flight may bring a job of this queue. */
static size_t
asked_for(const struct fetch *f, size_t queue)
{
	size_t n = 0;

	for (size_t i = 0; i < FETCH_LINES; i++) {
		const struct line *l = &f->lines[i];

		n += l->asking && (l->any_queue || l->queues[queue]);
	}
	return n;
}

/* Which queues the next question may be for. False: none. */
static bool
choose_queues(const struct fetch *f, bool *with)
{
	bool any = false;

	for (size_t i = 0; i < fetch_order_count(f->order); i++) {
		size_t places = f->hooks->places == NULL
		    ? SIZE_MAX
		    : f->hooks->places(f->ctx, fetch_order_queue(f->order, i));

		with[i] = places == SIZE_MAX || asked_for(f, i) < places;
		any = any || with[i];
	}
	return any;
}

static void
ask(struct fetch *f, struct line *l)
{
	int64_t now = clock_mono();

	buf_clear(f->request);
	if (fetch_order_put(f->order, f->with, f->request) < 0 ||
	    client_ask(l->client, buf_front(f->request), buf_len(f->request),
		on_reply, l) < 0) {
		hold_off(f, 1.);
		return;
	}
	memcpy(l->queues, f->with,
	    fetch_order_count(f->order) * sizeof *l->queues);
	l->any_queue = false;
	l->asking = true;
	l->asked_at = l->used_at = now;
	f->in_flight++;
	f->asked++;
}

static void
on_up(void *ctx)
{
	struct line *l = ctx;

	fetch_poke(l->fetch);
}

static void
on_down(void *ctx)
{
	struct line *l = ctx;

	l->fetch->hooks->none(l->fetch->ctx);
}

static const struct client_hooks line_hooks = { on_up, on_down };

static void
open_line(struct fetch *f, size_t i)
{
	struct line *l = &f->lines[i];

	l->client = client_new(
	    f->loop, f->who, names[i], LOG_LEVEL_WARNING, &line_hooks, l);
	if (l->client == NULL)
		return;
	l->used_at = clock_mono();
	client_start(l->client);
	if (i > 0)
		ev_timer_again(f->loop, &f->tidy);
}

void
fetch_poke(struct fetch *f)
{
	size_t room = f->hooks->room(f->ctx);
	size_t window = 1 + f->streak / STREAK_STEP;

	if (ev_is_active(&f->pause))
		return;
	if (window > FETCH_LINES)
		window = FETCH_LINES;
	if (window > room)
		window = room;
	for (size_t i = 0; i < FETCH_LINES && f->in_flight < window; i++) {
		struct line *l = &f->lines[i];

		if (l->client == NULL && i < window)
			open_line(f, i);
		if (l->client != NULL && !l->asking &&
		    client_ready(l->client) && choose_queues(f, f->with))
			ask(f, l);
	}
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	fetch_poke(w->data);
}

/* Ends the conversations that the last minute did not need. */
static void
on_tidy(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct fetch *f = w->data;
	int64_t now = clock_mono();
	bool open = false;

	(void)revents;
	for (size_t i = 1; i < FETCH_LINES; i++) {
		struct line *l = &f->lines[i];

		if (l->client == NULL)
			continue;
		if (l->asking || now - l->used_at < UNUSED_MAX) {
			open = true;
			continue;
		}
		client_end(l->client);
		client_free(l->client);
		l->client = NULL;
	}
	if (!open)
		ev_timer_stop(loop, w);
}

struct fetch *
fetch_new(struct ev_loop *loop, const struct identity *who,
    const struct settings *settings, const struct fetch_hooks *hooks, void *ctx)
{
	struct fetch *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->loop = loop;
	f->who = who;
	f->hooks = hooks;
	f->ctx = ctx;
	f->holdoff = (struct holdoff){ .first = 2., .most = 30. };
	for (size_t i = 0; i < FETCH_LINES; i++)
		f->lines[i].fetch = f;
	ev_timer_init(&f->pause, on_pause_over, 0., 0.);
	ev_timer_init(&f->tidy, on_tidy, 0., 10.);
	f->pause.data = f->tidy.data = f;

	f->request = buf_new(LINE_MAX);
	if (f->request == NULL || fetch_reload(f, settings) < 0) {
		fetch_free(f);
		return NULL;
	}
	return f;
}

void
fetch_free(struct fetch *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < FETCH_LINES; i++)
		client_free(f->lines[i].client);
	ev_timer_stop(f->loop, &f->pause);
	ev_timer_stop(f->loop, &f->tidy);
	for (size_t i = 0; i < FETCH_LINES; i++)
		free(f->lines[i].queues);
	free(f->with);
	fetch_order_free(f->order);
	buf_free(f->request);
	free(f);
}

uint64_t
fetch_asked(const struct fetch *f)
{
	return f->asked;
}

size_t
fetch_in_flight(const struct fetch *f)
{
	return f->in_flight;
}

void
fetch_end(struct fetch *f)
{
	for (size_t i = 0; i < FETCH_LINES; i++)
		if (f->lines[i].client != NULL)
			client_end(f->lines[i].client);
}

void
fetch_hang_up(struct fetch *f)
{
	fetch_end(f);
	for (size_t i = 0; i < FETCH_LINES; i++) {
		client_free(f->lines[i].client);
		f->lines[i].client = NULL;
	}
}

int
fetch_reload(struct fetch *f, const struct settings *settings)
{
	struct fetch_order *order = fetch_order_new(settings);
	bool *queues[FETCH_LINES + 1];
	bool complete = order != NULL;

	for (size_t i = 0; i <= FETCH_LINES; i++) {
		queues[i] = calloc(settings->nqueues + 1, sizeof(bool));
		complete = complete && queues[i] != NULL;
	}
	if (!complete) {
		for (size_t i = 0; i <= FETCH_LINES; i++)
			free(queues[i]);
		fetch_order_free(order);
		return -ENOMEM;
	}
	for (size_t i = 0; i < FETCH_LINES; i++) {
		free(f->lines[i].queues);
		f->lines[i].queues = queues[i];
		f->lines[i].any_queue = true;
	}
	free(f->with);
	f->with = queues[FETCH_LINES];
	fetch_order_free(f->order);
	f->order = order;
	return 0;
}
