/*
 * conn_wire - a connection's bytes, in plain text or TLS.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/conn_wire.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "server/parts.h"

enum { DRAIN_READS = 16 }; /* of what comes too late, before a close */

/* Somebody who takes nothing of an answer for so long; seconds. */
#define STALL_WAIT 30.0

static void
on_stalled(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn *c = w->data;
	int untaken = 0;

	(void)loop;
	(void)revents;
	/* The system takes more from us only when much of it is taken. */
	if (ioctl(stream_fd(c->stream), SIOCOUTQ, &untaken) == 0 &&
	    untaken != c->untaken) {
		c->untaken = untaken;
		return;
	}
	c->server->stalled++;
	log_say(LOG_LEVEL_WARNING, c->peer,
	    "closed: it has taken nothing of its answer for %.0f s",
	    STALL_WAIT);
	conn_close(c);
}

/* Begins anew with every byte that the peer takes. */
static void
watch_stall(struct conn *c, bool took)
{
	if (buf_len(c->out) == 0)
		ev_timer_stop(c->server->loop, &c->stalled);
	else if (took || !ev_is_active(&c->stalled))
		ev_timer_again(c->server->loop, &c->stalled);
}

int
conn_wire_open(struct conn *c, int fd)
{
	struct tls *tls = c->server->tls;
	struct err e;

	c->stream =
	    tls != NULL ? stream_server(fd, tls, &e) : stream_plain(fd, &e);
	if (c->stream == NULL)
		return -ENOMEM;
	ev_io_init(&c->io, conn_wire_on_io, fd, EV_READ);
	c->io.data = c;
	ev_timer_init(&c->stalled, on_stalled, 0., STALL_WAIT);
	c->stalled.data = c;
	return 0;
}

/* Unread bytes would turn our close into a reset that drops the last answer. */
void
conn_wire_close(struct conn *c)
{
	char unread[4096];

	ev_io_stop(c->server->loop, &c->io);
	ev_timer_stop(c->server->loop, &c->stalled);
	stream_bye(c->stream);
	for (int n = 0; n < DRAIN_READS; n++)
		if (recv(stream_fd(c->stream), unread, sizeof unread,
			MSG_DONTWAIT) < (ssize_t)sizeof unread)
			break;
	stream_close(c->stream);
}

bool
conn_is_busy(const struct conn *c)
{
	return c->slots != NULL || c->fetch != NULL || buf_len(c->out) > 0;
}

static bool
wants_read(const struct conn *c)
{
	size_t ahead = conn_is_busy(c) ? CONN_READ_AHEAD : SIZE_MAX;

	return !c->eof && !c->last_word && buf_len(c->in) < ahead;
}

/* What the stream waits for, in libev's words. */
static int
events_for(const struct conn *c, bool reading, bool writing)
{
	int wants = stream_events(c->stream, reading, writing);

	return (wants & STREAM_READABLE ? EV_READ : 0) |
	    (wants & STREAM_WRITABLE ? EV_WRITE : 0);
}

void
conn_wire_on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	if (revents & events_for(c, true, false))
		c->readable = true;
	conn_mark(c);
}

void
conn_wire_watch(struct conn *c)
{
	int events = events_for(c, wants_read(c), buf_len(c->out) > 0);

	if (ev_is_active(&c->io) &&
	    (c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->server->loop, &c->io);
	if (events != 0) {
		ev_io_set(&c->io, stream_fd(c->stream), events);
		ev_io_start(c->server->loop, &c->io);
	}
}

bool
conn_wire_may_read(const struct conn *c)
{
	return c->readable && wants_read(c);
}

void
conn_wire_read(struct conn *c)
{
	size_t room;
	char *at;
	ssize_t n;

	c->readable = false;
	at = buf_room(c->in, CONN_READ_WANT, &room);
	if (at == NULL)
		return; /* full: command_decode() will say what to do */
	n = stream_read(c->stream, at, room, NULL);
	if (n > 0) {
		buf_filled(c->in, (size_t)n);
		/* No event will tell of what has left the socket. */
		c->readable = stream_pending(c->stream);
		return;
	}
	if (n == -EAGAIN)
		return;
	conn_wire_ended(c, (int)-n);
	c->eof = true;
	if (n < 0 || c->fetch != NULL)
		conn_close(c); /* nobody is there to take the job */
}

void
conn_wire_ended(struct conn *c, int error)
{
	if (error == 0 || error == ECONNRESET || error == EPIPE)
		c->by_host = true;
}

/* While more jobs are gathered, what has been gathered is not in out yet. */
static void
delivered(struct conn *c)
{
	if (c->fetch != NULL)
		return;
	for (size_t i = 0; i < c->nundelivered; i++)
		if (c->undelivered[i] != NULL)
			c->undelivered[i]->held->undelivered = NULL;
	c->nundelivered = 0;
}

void
conn_wire_write(struct conn *c)
{
	bool took = false;

	while (buf_len(c->out) > 0) {
		ssize_t n = stream_write(
		    c->stream, buf_front(c->out), buf_len(c->out), NULL);

		if (n == -EAGAIN) {
			watch_stall(c, took);
			return;
		}
		if (n < 0) {
			conn_wire_ended(c, (int)-n);
			conn_close(c);
			return;
		}
		buf_drop(c->out, (size_t)n);
		took = true;
	}
	watch_stall(c, took);
	delivered(c);
}

/* Whoever waits for a greeting in plain text can read this. */
static void
say_what_is_spoken(const struct conn *c)
{
	static const char text[] =
	    "-ERR this server speaks TLS (tcp+tls://)\r\n";

	if (!stream_heard_tls(c->stream))
		(void)!send(stream_fd(c->stream), text, sizeof text - 1,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
conn_wire_secure(struct conn *c)
{
	struct err e;
	int r = stream_shake(c->stream, &e);

	if (r == 0)
		c->readable = c->readable || stream_pending(c->stream);
	if (r == 0 || r == -EAGAIN)
		return r;
	log_say(LOG_LEVEL_WARNING, c->peer, "refused: %s", e.text);
	if (stream_is_plain_peer(c->stream))
		say_what_is_spoken(c);
	return r;
}

void
conn_wire_late(const struct conn *c)
{
	log_say(LOG_LEVEL_WARNING, c->peer, "refused: %s",
	    stream_heard_tls(c->stream)
		? "its TLS handshake took too long"
		: "no TLS handshake; does it speak plain text?");
	say_what_is_spoken(c);
}
