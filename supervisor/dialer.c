/*
 * dialer - one attempt to reach the server.
 *
 *   start         addresses          connected            agreed
 *     ---> LOOKUP ---------> DIALING ---------> SECURING --------> done
 *                             |  | next address     |
 *                             |  +-> DIALING        +-- failed --> done
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/dialer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/dial.h"
#include "supervisor/resolve.h"

struct dialer {
	struct resolve *lookup;     /* in LOOKUP; owned */
	struct addrinfo *addresses; /* owned */
	struct addrinfo *address;   /* the one being dialled */
	int fd;                     /* in DIALING, else -1 */
	struct stream *stream;      /* in SECURING; owned */
	ev_io io;                   /* active in DIALING and SECURING */
	ev_timer patience;          /* as io */

	struct ev_loop *loop;
	const struct url *url;
	struct tls *tls; /* held */
	dialer_done *done;
	void *ctx;
};

static void dial(struct dialer *d);

static void
watch(struct dialer *d, int fd, int events)
{
	ev_io_stop(d->loop, &d->io);
	ev_io_set(&d->io, fd, events);
	ev_io_start(d->loop, &d->io);
}

void
dialer_cancel(struct dialer *d)
{
	if (d == NULL)
		return;
	ev_io_stop(d->loop, &d->io);
	ev_timer_stop(d->loop, &d->patience);
	resolve_cancel(d->lookup);
	if (d->addresses != NULL)
		freeaddrinfo(d->addresses);
	if (d->fd >= 0)
		close(d->fd);
	stream_close(d->stream);
	tls_drop(d->tls);
	free(d);
}

static void
finish(struct dialer *d, struct stream *stream, const char *why)
{
	ev_io_stop(d->loop, &d->io);
	ev_timer_stop(d->loop, &d->patience);
	d->done(d->ctx, stream, why);
	dialer_cancel(d);
}

/* Says what TLS has to say, and waits for what it waits for. */
static void
secure(struct dialer *d)
{
	struct err e;
	int r = stream_shake(d->stream, &e);

	if (r == -EAGAIN) {
		int wants = stream_events(d->stream, true, false);

		watch(d, stream_fd(d->stream),
		    wants == STREAM_WRITABLE ? EV_WRITE : EV_READ);
		return;
	}
	if (r < 0) {
		finish(d, NULL, e.text);
		return;
	}
	struct stream *agreed = d->stream;
	d->stream = NULL;
	finish(d, agreed, NULL);
}

static void
on_connected(struct dialer *d)
{
	int error = dial_result(d->fd);
	int fd = d->fd;
	struct err e;

	d->fd = -1;
	if (error != 0) {
		ev_io_stop(d->loop, &d->io);
		close(fd);
		if (d->address->ai_next == NULL) {
			finish(d, NULL, strerror(error));
			return;
		}
		d->address = d->address->ai_next;
		dial(d);
		return;
	}
	d->stream = d->url->tls ? stream_client(fd, d->tls, d->url->host, &e)
				: stream_plain(fd, &e);
	if (d->stream == NULL) {
		finish(d, NULL, e.text);
		return;
	}
	ev_timer_again(d->loop, &d->patience);
	secure(d);
}

static void
on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct dialer *d = w->data;

	(void)loop;
	(void)revents;
	if (d->stream == NULL)
		on_connected(d);
	else
		secure(d);
}

static void
on_patience(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct dialer *d = w->data;

	(void)loop;
	(void)revents;
	finish(d, NULL,
	    d->stream == NULL ? "no connection within 10 s"
			      : "no TLS handshake within 10 s");
}

/* Dials d->address, or the first after it that can be dialled at all. */
static void
dial(struct dialer *d)
{
	int error = 0;

	for (; d->address != NULL; d->address = d->address->ai_next) {
		int fd = dial_start(d->address);

		if (fd >= 0) {
			d->fd = fd;
			watch(d, fd, EV_WRITE);
			ev_timer_again(d->loop, &d->patience);
			return;
		}
		error = -fd;
	}
	finish(d, NULL, strerror(error));
}

static void
on_addresses(void *ctx, struct addrinfo *list, const char *why)
{
	struct dialer *d = ctx;

	d->lookup = NULL; /* freed by itself */
	if (list == NULL) {
		finish(d, NULL, why);
		return;
	}
	d->addresses = d->address = list;
	if (d->url->tls && d->tls == NULL)
		finish(d, NULL, "the certificates for TLS cannot be used");
	else
		dial(d);
}

struct dialer *
dialer_start(struct ev_loop *loop, const struct url *url, struct tls *tls,
    dialer_done *done, void *ctx)
{
	struct dialer *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->fd = -1;
	d->loop = loop;
	d->url = url;
	d->tls = tls_hold(tls);
	d->done = done;
	d->ctx = ctx;
	ev_io_init(&d->io, on_io, -1, EV_WRITE);
	ev_timer_init(&d->patience, on_patience, 0., DIALER_PATIENCE);
	d->io.data = d->patience.data = d;
	d->lookup = resolve_start(loop, url->host, url->port, on_addresses, d);
	if (d->lookup == NULL) {
		dialer_cancel(d);
		return NULL;
	}
	return d;
}
