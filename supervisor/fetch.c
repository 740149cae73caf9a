/*
 * fetch - up to FETCH_LINES conversations that ask for jobs.
 *
 * The window says how many questions may be in flight. It is 1 while jobs are
 * few, so that an idle worker keeps a single FETCH waiting in the server, and
 * grows with each answer that came at once and had all that was asked for: the
 * queue has more jobs than one question after the other can bring.
 *
 * A server that knows FETCHB is asked for as many jobs as could start at once,
 * whatever jobs they are; any other for one at a time.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "protocol/extension.h"
#include "supervisor/fetch_parts.h"

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
took_nonsense(struct fetch *f)
{
	static const char odd[] = "something that is no job";

	took_error(f, &(struct resp){ .text = odd, .len = sizeof odd - 1 });
}

static void
answered(struct line *l)
{
	l->fetch->wanted -= l->wanted;
	l->wanted = 0;
	l->fetch->in_flight--;
}

/* Those that are not handed on yet count as wanted: they have their slots. */
static void
took_jobs(struct fetch *f, struct line *l, const struct resp *r)
{
	size_t count = r->kind == RESP_ARRAY ? (size_t)r->number : 1;
	size_t len = r->len, at = 0;
	const char *text = r->text;
	bool any = false;

	if (count < l->wanted || clock_mono() - l->asked_at > AT_ONCE)
		f->streak = 0;
	else if (f->streak < STREAK_STEP * FETCH_LINES)
		f->streak++;
	doubt_answered(&f->doubt);
	f->handing = true;
	for (size_t i = 0; i < count; i++) {
		if (r->kind == RESP_ARRAY)
			(void)resp_next(r, &at, &text, &len);
		l->wanted--;
		f->wanted--;
		if (i + 1 == count)
			answered(l);
		any = f->hooks->got(f->ctx, text, len, l->asked_at) || any;
	}
	f->handing = false;
	if (any) {
		f->holdoff.fails = 0;
		f->last_error[0] = '\0';
	} else {
		took_nonsense(f);
		f->hooks->none(f->ctx);
	}
}

static bool
brings_jobs(const struct line *l, const struct resp *r)
{
	return r != NULL &&
	    (r->kind == RESP_BULK ||
		(r->kind == RESP_ARRAY && (size_t)r->number <= l->wanted));
}

static void
on_reply(void *ctx, const struct resp *r)
{
	struct line *l = ctx;
	struct fetch *f = l->fetch;

	if (brings_jobs(l, r)) {
		took_jobs(f, l, r);
		fetch_poke(f);
		return;
	}

	answered(l);
	f->streak = 0;
	if (r == NULL) {
		/* The client tells of it and comes back by itself. */
		doubt_arise(&f->doubt);
		f->lost_at = clock_mono();
	} else if (r->kind == RESP_NULL) {
		f->holdoff.fails = 0;
		f->last_error[0] = '\0';
		doubt_answered(&f->doubt);
		if (clock_mono() - l->asked_at < TOO_SOON)
			hold_off(f, 0.5);
	} else if (r->kind == RESP_ERROR) {
		took_error(f, r);
	} else {
		took_nonsense(f);
	}
	f->hooks->none(f->ctx);
	fetch_poke(f);
}

static void
ask(struct fetch *f, struct line *l, size_t jobs)
{
	int64_t now = clock_mono();

	buf_clear(f->request);
	if (fetch_order_put(f->order, jobs, f->most, f->request) < 0 ||
	    client_ask(l->client, buf_front(f->request), buf_len(f->request),
		on_reply, l) < 0) {
		hold_off(f, 1.);
		return;
	}
	memcpy(l->most, f->most, fetch_order_count(f->order) * sizeof *l->most);
	l->any_queue = false;
	l->wanted = jobs;
	f->wanted += jobs;
	l->asked_at = l->used_at = now;
	f->in_flight++;
	f->asked++;
	f->hears = (client_extensions(l->client) & EXTENSION_HELD) != 0;
}

/* ---- the conversations ----------------------------------------------- */

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

	if (ev_is_active(&f->pause) || fetch_tell_first(f) ||
	    fetch_gathers(f, room))
		return;
	if (window > FETCH_LINES)
		window = FETCH_LINES;
	for (size_t i = 0;
	     i < FETCH_LINES && f->in_flight < window && f->wanted < room;
	     i++) {
		struct line *l = &f->lines[i];

		if (l->client == NULL && i < window)
			open_line(f, i);
		else if (i < window && client_idle(l->client))
			client_start(l->client);
		if (l->client != NULL && l->wanted == 0 &&
		    client_ready(l->client) && fetch_choose_queues(f, f->most))
			ask(f, l, fetch_choose_jobs(f, l, f->most, room));
	}
}

void
fetch_hurry(struct fetch *f)
{
	for (size_t i = 0; i < FETCH_LINES; i++) {
		struct client *c = f->lines[i].client;

		if (c != NULL && !client_idle(c))
			client_hurry(c);
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
		if (l->wanted > 0 || now - l->used_at < UNUSED_MAX) {
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
	doubt_arise(&f->doubt);
	for (size_t i = 0; i < FETCH_LINES; i++)
		f->lines[i].fetch = f;
	ev_timer_init(&f->pause, on_pause_over, 0., 0.);
	ev_timer_init(&f->tidy, on_tidy, 0., 10.);
	ev_timer_init(&f->gather, fetch_on_gathered, 0., 0.);
	f->pause.data = f->tidy.data = f->gather.data = f;

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
	ev_timer_stop(f->loop, &f->gather);
	for (size_t i = 0; i < FETCH_LINES; i++)
		free(f->lines[i].most);
	free(f->most);
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
	return f->in_flight + f->telling;
}

int64_t
fetch_asked_since(const struct fetch *f)
{
	int64_t since = INT64_MAX;

	for (size_t i = 0; i < FETCH_LINES; i++)
		if (f->lines[i].wanted > 0 && f->lines[i].asked_at < since)
			since = f->lines[i].asked_at;
	return since;
}

bool
fetch_is_telling(const struct fetch *f)
{
	return f->telling;
}

size_t
fetch_wanted(const struct fetch *f)
{
	return f->wanted;
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
	size_t *most[FETCH_LINES + 1];
	bool complete = order != NULL;

	for (size_t i = 0; i <= FETCH_LINES; i++) {
		most[i] = calloc(settings->nqueues + 1, sizeof(size_t));
		complete = complete && most[i] != NULL;
	}
	if (!complete) {
		for (size_t i = 0; i <= FETCH_LINES; i++)
			free(most[i]);
		fetch_order_free(order);
		return -ENOMEM;
	}
	for (size_t i = 0; i < FETCH_LINES; i++) {
		free(f->lines[i].most);
		f->lines[i].most = most[i];
		f->lines[i].any_queue = true;
	}
	free(f->most);
	f->most = most[FETCH_LINES];
	fetch_order_free(f->order);
	f->order = order;
	return 0;
}
