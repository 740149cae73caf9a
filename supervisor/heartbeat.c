/*
 * heartbeat - a timer, and what the answers mean.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/heartbeat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

enum { BEAT_MAX = 4096 };

struct heartbeat {
	ev_timer due; /* active while the conversation is up */
	bool alive;
	enum worker_state state;
	struct buf *line;

	struct ev_loop *loop;
	struct client *client;
	const char *wid;
	const struct heartbeat_hooks *hooks;
	void *ctx;
};

/* Resident memory; 0 when the kernel does not say. */
static int64_t
rss_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long long total, resident;
	int64_t kb = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lld %lld", &total, &resident) == 2)
		kb = resident * (sysconf(_SC_PAGESIZE) / 1024);
	fclose(f);
	return kb;
}

static void
on_error(struct heartbeat *h, const struct resp *r)
{
	if (memmem(r->text, r->len, "unknown worker", 14) != NULL) {
		if (h->alive)
			client_redial(
			    h->client, "the server does not know this worker");
		else
			client_give_up(h->client,
			    "the server does not know this worker, which it "
			    "has just greeted");
		return;
	}
	log_say(LOG_LEVEL_WARNING, "server", "answers BEAT with \"%.*s\"",
	    (int)(r->len < 200 ? r->len : 200), r->text);
}

static void
on_reply(void *ctx, const struct resp *r)
{
	struct heartbeat *h = ctx;
	struct beat_reply told;

	if (r == NULL)
		return;
	if (r->kind == RESP_ERROR) {
		on_error(h, r);
		return;
	}
	if ((r->kind != RESP_SIMPLE && r->kind != RESP_BULK) ||
	    beat_read_reply(r->text, r->len, &told) < 0) {
		log_say(LOG_LEVEL_WARNING, "server",
		    "answers BEAT with something that is no state");
		return;
	}
	if (!h->alive) {
		h->alive = true;
		h->hooks->alive(h->ctx);
	}
	if (told.state != WORKER_RUNNING)
		h->hooks->told(h->ctx, told.state);
	for (size_t i = 0; i < told.lost.count; i++)
		h->hooks->taken(h->ctx, told.lost.names[i], true);
	for (size_t i = 0; i < told.cancel.count; i++)
		h->hooks->taken(h->ctx, told.cancel.names[i], false);
	beat_reply_clear(&told);
}

static void
beat(struct heartbeat *h)
{
	if (!client_ready(h->client))
		return;
	buf_clear(h->line);
	if (beat_put(h->line, h->wid, rss_kb(), h->state) == 0)
		(void)client_ask(h->client, buf_front(h->line),
		    buf_len(h->line), on_reply, h);
}

static void
on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	beat(w->data);
}

struct heartbeat *
heartbeat_new(struct ev_loop *loop, struct client *client, const char *wid,
    int64_t period, const struct heartbeat_hooks *hooks, void *ctx)
{
	struct heartbeat *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->loop = loop;
	h->client = client;
	h->wid = wid;
	h->hooks = hooks;
	h->ctx = ctx;
	ev_timer_init(&h->due, on_due, 0., (double)period / 1e9);
	h->due.data = h;
	h->line = buf_new(BEAT_MAX);
	if (h->line == NULL) {
		free(h);
		return NULL;
	}
	return h;
}

void
heartbeat_free(struct heartbeat *h)
{
	if (h == NULL)
		return;
	ev_timer_stop(h->loop, &h->due);
	buf_free(h->line);
	free(h);
}

void
heartbeat_set_period(struct heartbeat *h, int64_t period)
{
	h->due.repeat = (double)period / 1e9;
	if (ev_is_active(&h->due))
		ev_timer_again(h->loop, &h->due);
}

void
heartbeat_up(struct heartbeat *h)
{
	beat(h);
	ev_timer_again(h->loop, &h->due);
}

void
heartbeat_down(struct heartbeat *h)
{
	h->alive = false;
	ev_timer_stop(h->loop, &h->due);
}

bool
heartbeat_alive(const struct heartbeat *h)
{
	return h->alive;
}

void
heartbeat_say(struct heartbeat *h, enum worker_state state)
{
	if (state <= h->state)
		return;
	h->state = state;
	beat(h);
}
