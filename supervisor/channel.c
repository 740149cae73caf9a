/*
 * channel - a stream with a buffer each way, and its watchers.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/channel.h"

#include <errno.h>
#include <string.h>

enum { READ_SIZE = 64 * 1024 };

/* The io watcher always matches the need. */
static void
watch(struct channel *c)
{
	int wants = stream_events(c->stream, true, c->full);
	int events = (wants & STREAM_READABLE ? EV_READ : 0) |
	    (wants & STREAM_WRITABLE ? EV_WRITE : 0);

	if (ev_is_active(&c->io) &&
	    (c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->loop, &c->io);
	ev_io_set(&c->io, stream_fd(c->stream), events);
	ev_io_start(c->loop, &c->io);
}

static void
write_out(struct channel *c)
{
	struct err e;

	ev_prepare_stop(c->loop, &c->flush);
	c->full = false;
	while (buf_len(c->out) > 0 && !c->full) {
		ssize_t n = stream_write(
		    c->stream, buf_front(c->out), buf_len(c->out), &e);

		if (n >= 0)
			buf_drop(c->out, (size_t)n);
		else if (n == -EAGAIN)
			c->full = true;
		else {
			c->hooks->lost(c->ctx, e.text);
			return;
		}
	}
	watch(c);
}

/* One write for all that was put in this turn of the loop. */
static void
on_flush(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	write_out(w->data);
}

/* Returns whether there may be more at once. */
static bool
read_some(struct channel *c)
{
	unsigned closings = c->closings;
	struct err e;
	size_t room;
	char *at = buf_room(c->in, READ_SIZE, &room);

	if (at == NULL) {
		c->hooks->lost(c->ctx, "no memory for the server's reply");
		return false;
	}
	ssize_t n = stream_read(c->stream, at, room, &e);
	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		c->hooks->lost(c->ctx, n < 0 ? e.text : NULL);
		return false;
	}
	buf_filled(c->in, (size_t)n);
	c->hooks->came(c->ctx);
	return c->closings == closings && stream_pending(c->stream);
}

static void
on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct channel *c = w->data;
	unsigned closings = c->closings;

	(void)loop;
	(void)revents;
	if (c->full)
		write_out(c);
	if (c->closings != closings)
		return;
	while (read_some(c))
		;
	if (c->closings == closings)
		watch(c);
}

int
channel_init(struct channel *c, struct ev_loop *loop, size_t in_max,
    size_t out_max, const struct channel_hooks *hooks, void *ctx)
{
	memset(c, 0, sizeof *c);
	c->loop = loop;
	c->hooks = hooks;
	c->ctx = ctx;
	ev_io_init(&c->io, on_io, -1, EV_READ);
	ev_prepare_init(&c->flush, on_flush);
	c->io.data = c->flush.data = c;

	c->in = buf_new(in_max);
	c->out = buf_new(out_max);
	if (c->in == NULL || c->out == NULL) {
		buf_free(c->in);
		buf_free(c->out);
		return -ENOMEM;
	}
	return 0;
}

void
channel_clear(struct channel *c)
{
	channel_close(c);
	buf_free(c->in);
	buf_free(c->out);
}

void
channel_open(struct channel *c, struct stream *stream)
{
	c->stream = stream;
	watch(c);
	/* Bytes may have come together with the end of the handshake. */
	if (stream_pending(stream))
		ev_feed_event(c->loop, &c->io, EV_READ);
}

void
channel_close(struct channel *c)
{
	ev_io_stop(c->loop, &c->io);
	ev_prepare_stop(c->loop, &c->flush);
	buf_clear(c->in);
	buf_clear(c->out);
	stream_close(c->stream);
	c->stream = NULL;
	c->full = false;
	c->closings++;
}

void
channel_send(struct channel *c)
{
	if (!c->full)
		ev_prepare_start(c->loop, &c->flush);
}

void
channel_send_last(struct channel *c)
{
	struct err e;

	(void)stream_write(c->stream, buf_front(c->out), buf_len(c->out), &e);
}
