/*
 * notify - READY, STATUS, RELOADING, STOPPING, and the watchdog's food.
 *
 * libsystemd is used nowhere else in this program.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/notify.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/notices.h"

enum { STATUS_MAX = 256 };
static const double status_period = 5.;

/*
 * While the end is on its way the manager hears every 2 s that it may take
 * 30 s more: as long as it has to, and not much longer when we hang.
 */
static const double extend_period = 2.;
static const int extend_s = 30;

/* Between two tries at a manager that takes nothing; seconds. */
static const double retry_period = .1;

struct notify {
	struct notices *notices;
	ev_timer retry;    /* active while one waits */
	ev_timer watchdog; /* active when one is asked for */
	ev_timer status;
	ev_timer extend; /* active once stopping */
	bool ready;
	bool stopping;
	char last[STATUS_MAX]; /* what was told */

	struct ev_loop *loop;
	notify_status *write;
	void *ctx;
};

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct notify *n = w->data;

	(void)revents;
	if (!notices_flush(n->notices))
		ev_timer_stop(loop, w);
}

static void
see_that_it_arrives(struct notify *n)
{
	if (notices_flush(n->notices))
		ev_timer_start(n->loop, &n->retry);
}

static void
tell_status(struct notify *n)
{
	char text[STATUS_MAX] = "";

	n->write(n->ctx, text, sizeof text);
	if (strcmp(text, n->last) == 0)
		return;
	memcpy(n->last, text, sizeof text);
	notices_hint(n->notices, "STATUS=%s", text);
}

static void
on_status(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	tell_status(w->data);
}

static void
on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct notify *n = w->data;

	(void)loop;
	(void)revents;
	notices_hint(n->notices, "WATCHDOG=1");
}

static void
on_extend(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct notify *n = w->data;

	(void)loop;
	(void)revents;
	notices_hint(n->notices, "EXTEND_TIMEOUT_USEC=%d000000", extend_s);
}

struct notify *
notify_new(struct ev_loop *loop, notify_status *status, void *ctx)
{
	struct notify *n = calloc(1, sizeof *n);
	uint64_t usec = 0;

	if (n == NULL || (n->notices = notices_new()) == NULL) {
		free(n);
		return NULL;
	}
	n->loop = loop;
	n->write = status;
	n->ctx = ctx;
	ev_timer_init(&n->status, on_status, status_period, status_period);
	n->status.data = n;
	ev_timer_init(&n->watchdog, on_watchdog, 0., 0.);
	ev_timer_init(&n->extend, on_extend, extend_period, extend_period);
	ev_timer_init(&n->retry, on_retry, retry_period, retry_period);
	n->watchdog.data = n->extend.data = n->retry.data = n;

	if (!notices_wanted(n->notices))
		return n;
	ev_timer_start(loop, &n->status);
	if (sd_watchdog_enabled(0, &usec) > 0) {
		ev_timer_set(&n->watchdog, 0., (double)usec / 2e6);
		ev_timer_start(loop, &n->watchdog);
	}
	return n;
}

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	ev_timer_stop(n->loop, &n->status);
	ev_timer_stop(n->loop, &n->watchdog);
	ev_timer_stop(n->loop, &n->extend);
	ev_timer_stop(n->loop, &n->retry);
	notices_free(n->notices);
	free(n);
}

void
notify_ready(struct notify *n)
{
	if (n->ready)
		return;
	n->ready = true;
	n->write(n->ctx, n->last, sizeof n->last);
	notices_say(n->notices, "READY=1\nSTATUS=%s", n->last);
	see_that_it_arrives(n);
}

void
notify_reloading(struct notify *n)
{
	if (!n->ready)
		return;
	notices_say(n->notices, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)(clock_mono() / 1000));
	see_that_it_arrives(n);
}

void
notify_reloaded(struct notify *n)
{
	if (!n->ready)
		return;
	n->write(n->ctx, n->last, sizeof n->last);
	notices_say(n->notices, "READY=1\nSTATUS=%s", n->last);
	see_that_it_arrives(n);
}

void
notify_stopping(struct notify *n)
{
	if (n->stopping)
		return;
	n->stopping = true;
	n->write(n->ctx, n->last, sizeof n->last);
	notices_say(n->notices,
	    "STOPPING=1\nEXTEND_TIMEOUT_USEC=%d000000\nSTATUS=%s", extend_s,
	    n->last);
	see_that_it_arrives(n);
	if (notices_wanted(n->notices))
		ev_timer_start(n->loop, &n->extend);
}

void
notify_look(struct notify *n)
{
	if (n->ready && notices_wanted(n->notices))
		tell_status(n);
}

void
notify_was_ready(struct notify *n)
{
	n->ready = true;
}

bool
notify_is_ready(const struct notify *n)
{
	return n->ready;
}
