/*
 * door - a listening socket, and who knocks at it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/door.h"

#include <errno.h>
#include <sys/socket.h>

enum { TURN_ACCEPTS = 16 };

static const double rest_seconds = 0.5;

static void
on_knock(struct ev_loop *loop, ev_io *w, int revents)
{
	struct door *d = w->data;

	(void)revents;
	for (int n = 0; n < TURN_ACCEPTS; n++) {
		int fd =
		    accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			d->came(d->ctx, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			ev_io_stop(loop, &d->knock);
			ev_timer_set(&d->rest, rest_seconds, 0.);
			ev_timer_start(loop, &d->rest);
		}
		if (errno != ECONNABORTED)
			return;
	}
}

static void
on_rested(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct door *d = w->data;

	(void)revents;
	ev_io_start(loop, &d->knock);
}

void
door_open(
    struct door *d, struct ev_loop *loop, int fd, door_came *came, void *ctx)
{
	d->loop = loop;
	d->came = came;
	d->ctx = ctx;
	ev_io_init(&d->knock, on_knock, fd, EV_READ);
	ev_timer_init(&d->rest, on_rested, 0., 0.);
	d->knock.data = d->rest.data = d;
	ev_io_start(loop, &d->knock);
}

void
door_close(struct door *d)
{
	ev_io_stop(d->loop, &d->knock);
	ev_timer_stop(d->loop, &d->rest);
}
