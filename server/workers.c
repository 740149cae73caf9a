/*
 * workers - the register of those who fetch.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/workers.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"

struct workers {
	struct ev_loop *loop;
	struct map *by_wid;
	struct workers_hooks hooks;
	uint64_t reaped;
};

struct workers *
workers_new(struct ev_loop *loop, const struct workers_hooks *hooks)
{
	struct workers *ws = calloc(1, sizeof *ws);

	if (ws == NULL)
		return NULL;
	ws->loop = loop;
	ws->hooks = *hooks;
	ws->by_wid = map_new();
	if (ws->by_wid == NULL) {
		free(ws);
		return NULL;
	}
	return ws;
}

static void
worker_free(struct worker *w)
{
	ev_timer_stop(w->all->loop, &w->silence);
	for (size_t i = 0; i < w->nlabels; i++)
		free(w->labels[i]);
	free(w->labels);
	free(w->hostname);
	free(w->wid);
	free(w);
}

void
workers_free(struct workers *ws)
{
	size_t cursor = 0;
	struct worker *w;

	if (ws == NULL)
		return;
	while ((w = map_next(ws->by_wid, &cursor)) != NULL)
		worker_free(w);
	map_free(ws->by_wid);
	free(ws);
}

static void
fell_silent(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct worker *w = timer->data;

	(void)loop;
	(void)revents;
	w->all->reaped++;
	w->all->hooks.silent(w->all->hooks.ctx, w);
}

static struct worker *
register_worker(struct workers *ws, struct hello *h)
{
	struct worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->all = ws;
	ev_timer_init(&w->silence, fell_silent, WORKER_SILENCE, WORKER_SILENCE);
	w->silence.data = w;
	w->wid = strdup(h->wid);
	if (w->wid == NULL ||
	    map_put(ws->by_wid, w->wid, strlen(w->wid), w) < 0) {
		free(w->wid);
		free(w);
		return NULL;
	}
	w->hostname = h->hostname;
	h->hostname = NULL;
	w->labels = h->labels;
	w->nlabels = h->nlabels;
	h->labels = NULL;
	h->nlabels = 0;
	w->pid = h->pid;
	w->rss_kb = h->rss_kb;
	w->started = w->last_beat = clock_wall();
	w->heard = clock_mono();
	ev_timer_again(ws->loop, &w->silence);
	return w;
}

struct worker *
workers_join(struct workers *ws, struct hello *h)
{
	struct worker *w = workers_find(ws, h->wid);

	if (w == NULL)
		w = register_worker(ws, h);
	if (w == NULL)
		return NULL;
	w->connections++;
	w->parted = false;
	w->extensions |= h->extensions;
	return w;
}

void
workers_leave(struct worker *w, enum parting how)
{
	struct workers *ws = w->all;

	if (how == PARTING_OURS)
		w->parted = true;
	if (--w->connections > 0)
		return;
	if (how != PARTING_END)
		(w->parted ? ws->hooks.lost : ws->hooks.died)(ws->hooks.ctx, w);
	(void)map_remove(w->all->by_wid, w->wid, strlen(w->wid));
	worker_free(w);
}

struct worker *
workers_find(const struct workers *ws, const char *wid)
{
	return map_get(ws->by_wid, wid, strlen(wid));
}

void
worker_tell(struct worker *w, enum worker_state state)
{
	if (state > w->state)
		w->state = state;
}

bool
worker_has_label(const struct worker *w, const char *label)
{
	for (size_t i = 0; i < w->nlabels; i++)
		if (strcmp(w->labels[i], label) == 0)
			return true;
	return false;
}

struct worker *
workers_next(const struct workers *ws, size_t *cursor)
{
	return map_next(ws->by_wid, cursor);
}

void
worker_beat(struct worker *w, const struct beat *b)
{
	worker_tell(w, b->state);
	if (b->rss_kb > 0)
		w->rss_kb = b->rss_kb;
	w->last_beat = clock_wall();
	w->heard = clock_mono();
	ev_timer_again(w->all->loop, &w->silence);
}

size_t
workers_count(const struct workers *ws)
{
	return map_count(ws->by_wid);
}

uint64_t
workers_reaped(const struct workers *ws)
{
	return ws->reaped;
}
