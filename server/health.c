/*
 * health - a probe when all is quiet, and a look at what came of it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/health.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/room.h"

struct health {
	struct ev_loop *loop;
	struct store *store; /* borrowed, as the next */
	struct room *room;
	ev_timer tick;
	struct store_change probe;
	bool probing;
	int64_t probed_at; /* mono; when the probe was given to the store */
};

static void
on_probed(struct store_change *c, int result, const struct err *why)
{
	struct health *h = c->ctx;

	(void)result;
	(void)why;
	h->probing = false;
}

static double
seconds_since(int64_t mono)
{
	return (double)(clock_mono() - mono) / (double)CLOCK_NS_PER_S;
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct health *h = w->data;
	struct store_status st;

	(void)loop;
	(void)revents;
	store_status(h->store, &st);
	if (h->probing ||
	    (!st.failing && st.committed != 0 &&
		seconds_since(st.committed) < HEALTH_PERIOD))
		return;
	h->probing = true;
	h->probed_at = clock_mono();
	h->probe = (struct store_change){
		.kind = STORE_COUNT,
		.name = "probed",
		.value = clock_wall() / CLOCK_NS_PER_S,
		.done = on_probed,
		.ctx = h,
	};
	store_add(h->store, &h->probe);
}

struct health *
health_new(struct ev_loop *loop, struct store *store, struct room *room)
{
	struct health *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->loop = loop;
	h->store = store;
	h->room = room;
	ev_timer_init(&h->tick, on_tick, 0., HEALTH_PERIOD);
	h->tick.data = h;
	ev_timer_start(loop, &h->tick);
	return h;
}

void
health_free(struct health *h)
{
	if (h == NULL)
		return;
	ev_timer_stop(h->loop, &h->tick);
	free(h);
}

const char *
health_trouble(const struct health *h, char out[HEALTH_REASON_MAX])
{
	struct store_status st;
	size_t missed;

	store_status(h->store, &st);
	if (st.failing) {
		snprintf(out, HEALTH_REASON_MAX, "the last write failed: %s",
		    st.why.text);
		return out;
	}
	if (st.committed == 0) {
		snprintf(out, HEALTH_REASON_MAX,
		    "no write has reached the disk yet");
		return out;
	}
	double since = seconds_since(st.committed);
	if (since > HEALTH_PATIENCE) {
		snprintf(out, HEALTH_REASON_MAX,
		    "no write has reached the disk for %.0f s", since);
		return out;
	}
	if (store_is_short(h->store)) {
		snprintf(out, HEALTH_REASON_MAX,
		    "no more jobs are taken: the data's file system is "
		    "almost full");
		return out;
	}
	missed = room_missed(h->room, h->store);
	if (missed > 0) {
		snprintf(out, HEALTH_REASON_MAX,
		    "a push was refused: the data's file system has too little "
		    "left for %zu bytes more",
		    missed);
		return out;
	}
	return NULL;
}

bool
health_hangs(const struct health *h)
{
	return h->probing && seconds_since(h->probed_at) > HEALTH_PATIENCE;
}
