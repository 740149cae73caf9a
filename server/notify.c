/*
 * notify - READY, STATUS, STOPPING, the watchdog's food, and a socket.
 *
 * libsystemd is used nowhere else in this program.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/notices.h"

enum { STATUS_MAX = 256, LOADING_ROWS = 1024 };

/* Seconds. The second is between two tries at a manager that takes nothing. */
static const double status_period = 5.;
static const double retry_period = .1;

/* How much longer a start or an end may take, told while it does. */
#define EXTENSION "EXTEND_TIMEOUT_USEC=30000000"

struct notify {
	struct notices *notices;
	ev_timer retry; /* active while a notice waits */
	ev_timer watchdog;
	ev_timer status;
	uint64_t watchdog_usec; /* 0: none */
	bool ready;
	bool stopping;
	char last[STATUS_MAX]; /* what was told */

	uint64_t loaded;   /* jobs read at the start */
	int64_t loaded_at; /* mono; when that was told */

	struct ev_loop *loop;
	notify_status *look;
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
on_status(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct notify *n = w->data;
	char text[STATUS_MAX] = "";

	(void)loop;
	(void)revents;
	(void)n->look(n->ctx, text, sizeof text);
	if (strcmp(text, n->last) == 0)
		return;
	memcpy(n->last, text, sizeof text);
	notices_hint(n->notices, "STATUS=%s", text);
}

static void
on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct notify *n = w->data;
	char text[STATUS_MAX] = "";

	(void)loop;
	(void)revents;
	if (n->look(n->ctx, text, sizeof text))
		notices_hint(n->notices, "WATCHDOG=1");
}

struct notify *
notify_new(struct ev_loop *loop, notify_status *status, void *ctx)
{
	struct notify *n = calloc(1, sizeof *n);

	if (n == NULL || (n->notices = notices_new()) == NULL) {
		free(n);
		return NULL;
	}
	n->loop = loop;
	n->look = status;
	n->ctx = ctx;
	ev_timer_init(&n->retry, on_retry, retry_period, retry_period);
	ev_timer_init(&n->status, on_status, status_period, status_period);
	if (!notices_wanted(n->notices) ||
	    sd_watchdog_enabled(0, &n->watchdog_usec) <= 0)
		n->watchdog_usec = 0;
	ev_timer_init(
	    &n->watchdog, on_watchdog, 0., (double)n->watchdog_usec / 2e6);
	n->retry.data = n->status.data = n->watchdog.data = n;
	return n;
}

void
notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	ev_timer_stop(n->loop, &n->retry);
	ev_timer_stop(n->loop, &n->status);
	ev_timer_stop(n->loop, &n->watchdog);
	notices_free(n->notices);
	free(n);
}

bool
notify_watched(const struct notify *n)
{
	return n->watchdog_usec > 0;
}

void
notify_loading(struct notify *n)
{
	n->loaded++;
	if (n->loaded % LOADING_ROWS != 0 || !notices_wanted(n->notices) ||
	    clock_mono() - n->loaded_at < CLOCK_NS_PER_S)
		return;
	n->loaded_at = clock_mono();
	notices_hint(n->notices,
	    EXTENSION "\nSTATUS=reading the store: %llu jobs so far",
	    (unsigned long long)n->loaded);
}

static void
say_ready(struct notify *n)
{
	(void)n->look(n->ctx, n->last, sizeof n->last);
	notices_say(n->notices, "READY=1\nSTATUS=%s", n->last);
	see_that_it_arrives(n);
}

void
notify_ready(struct notify *n)
{
	if (n->ready)
		return;
	n->ready = true;
	say_ready(n);
	if (!notices_wanted(n->notices))
		return;
	ev_timer_start(n->loop, &n->status);
	if (n->watchdog_usec > 0)
		ev_timer_start(n->loop, &n->watchdog);
}

void
notify_reloading(struct notify *n)
{
	if (!n->ready || n->stopping)
		return;
	notices_say(n->notices, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)(clock_mono() / 1000));
	see_that_it_arrives(n);
}

void
notify_reloaded(struct notify *n)
{
	if (n->ready && !n->stopping)
		say_ready(n);
}

void
notify_stopping(struct notify *n)
{
	if (n->stopping)
		return;
	n->stopping = true;
	(void)n->look(n->ctx, n->last, sizeof n->last);
	notices_say(
	    n->notices, "STOPPING=1\n" EXTENSION "\nSTATUS=%s", n->last);
	see_that_it_arrives(n);
}

int
notify_take_socket(struct err *e)
{
	int n = sd_listen_fds(1), fd = SD_LISTEN_FDS_START;

	if (n == 0)
		return -ENOENT;
	if (n < 0)
		return err_set(e, -n, "LISTEN_FDS: %s", strerror(-n));
	if (n > 1)
		return err_set(e, EINVAL,
		    "LISTEN_FDS: the service manager holds %d sockets, "
		    "expected one",
		    n);
	if (sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) <= 0 &&
	    sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) <= 0)
		return err_set(e, EINVAL,
		    "LISTEN_FDS: the service manager's socket is not one that "
		    "listens for TCP (ListenStream=)");
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(e, errno, "LISTEN_FDS: %s", strerror(errno));
	return fd;
}
