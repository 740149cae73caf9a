/*
 * fetch_gather - whether the next question waits for more slots.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/extension.h"
#include "supervisor/fetch_parts.h"

/* A server that gives one job at a time is asked as often either way. */
static bool
may_wait(const struct fetch *f, size_t room)
{
	const struct client *c = f->lines[0].client;

	return !f->gathered && f->wanted < room && f->hooks->crowded != NULL &&
	    c != NULL && (client_extensions(c) & EXTENSION_FETCHB) != 0 &&
	    f->hooks->crowded(f->ctx);
}

bool
fetch_gathers(struct fetch *f, size_t room)
{
	bool waited = f->gathered || ev_is_active(&f->gather);

	if (may_wait(f, room)) {
		if (!waited) {
			ev_timer_set(&f->gather, FETCH_GATHER, 0.);
			ev_timer_start(f->loop, &f->gather);
		}
		return true;
	}
	ev_timer_stop(f->loop, &f->gather);
	if (waited && f->wanted < room)
		f->hooks->waited(f->ctx);
	return false;
}

void
fetch_on_gathered(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct fetch *f = w->data;

	(void)loop;
	(void)revents;
	f->gathered = true;
	fetch_poke(f);
	f->gathered = false;
}
