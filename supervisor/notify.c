/*
 * notify - sd_notify(3) and its watchdog. libsystemd is used nowhere else.
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

enum { STATUS_MAX = 256 };
static const double status_period = 5.;

struct notify {
	ev_timer watchdog; /* active when one is asked for */
	ev_timer status;
	bool ready;
	bool stopping;
	char last[STATUS_MAX]; /* what was told */

	struct ev_loop *loop;
	notify_status *write;
	void *ctx;
};

static void
tell_status(struct notify *n)
{
	char text[STATUS_MAX] = "";

	n->write(n->ctx, text, sizeof text);
	if (strcmp(text, n->last) == 0)
		return;
	memcpy(n->last, text, sizeof text);
	sd_notifyf(0, "STATUS=%s", text);
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
	(void)loop;
	(void)w;
	(void)revents;
	sd_notify(0, "WATCHDOG=1");
}

struct notify *
notify_new(struct ev_loop *loop, notify_status *status, void *ctx)
{
	struct notify *n = calloc(1, sizeof *n);
	uint64_t usec = 0;

	if (n == NULL)
		return NULL;
	n->loop = loop;
	n->write = status;
	n->ctx = ctx;
	ev_timer_init(&n->status, on_status, status_period, status_period);
	n->status.data = n;
	ev_timer_init(&n->watchdog, on_watchdog, 0., 0.);

	if (getenv("NOTIFY_SOCKET") == NULL)
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
	free(n);
}

void
notify_ready(struct notify *n)
{
	if (n->ready)
		return;
	n->ready = true;
	n->write(n->ctx, n->last, sizeof n->last);
	sd_notifyf(0, "READY=1\nSTATUS=%s", n->last);
}

void
notify_reloading(struct notify *n)
{
	if (n->ready)
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
		    (long long)(clock_mono() / 1000));
}

void
notify_reloaded(struct notify *n)
{
	if (!n->ready)
		return;
	n->write(n->ctx, n->last, sizeof n->last);
	sd_notifyf(0, "READY=1\nSTATUS=%s", n->last);
}

void
notify_stopping(struct notify *n, int64_t limit)
{
	if (n->stopping)
		return;
	n->stopping = true;
	sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
	    (long long)(limit / 1000));
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
