/*
 * conn - bytes in, commands served in order, bytes out.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/log.h"
#include "protocol/command.h"
#include "protocol/resp.h"
#include "server/commands.h"
#include "server/parts.h"
#include "server/slots.h"

enum {
	READ_WANT = 64 * 1024,
	READ_AHEAD = 64 * 1024, /* while a command is being served */
	TURN_COMMANDS = 64,     /* of one connection, so others get theirs */
	DRAIN_READS = 16,       /* of what comes too late, before a close */
	SLOTS_MAX = 256,        /* answers that one connection may wait for */
	REPLY_MAX = 1 << 30,
};

/* Somebody who takes nothing of an answer for so long; seconds. */
#define STALL_WAIT 30.0

/* The handshake must be over by then: docs/protocol.md, "Handshake". */
#define HANDSHAKE_WAIT 2.0

static void
mark_dirty(struct conn *c)
{
	struct server *s = c->server;

	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->next_dirty = NULL;
	*(s->dirty_last != NULL ? &s->dirty_last->next_dirty : &s->dirty) = c;
	s->dirty_last = c;
}

static void
on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	if (revents & EV_READ)
		c->readable = true;
	mark_dirty(c);
}

static void
on_handshake_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	conn_close(w->data);
}

static void
on_stalled(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn *c = w->data;
	int untaken = 0;

	(void)loop;
	(void)revents;
	/* The system takes more from us only when much of it is taken. */
	if (ioctl(c->fd, SIOCOUTQ, &untaken) == 0 && untaken != c->untaken) {
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

static bool
is_busy(const struct conn *c)
{
	return c->slots != NULL || c->fetch != NULL || buf_len(c->out) > 0;
}

/* The only place that touches the io watcher: it always matches the need. */
static void
watch(struct conn *c)
{
	size_t ahead = is_busy(c) ? READ_AHEAD : SIZE_MAX;
	int events = 0;

	if (!c->eof && !c->last_word && buf_len(c->in) < ahead)
		events |= EV_READ;
	if (buf_len(c->out) > 0)
		events |= EV_WRITE;
	if (ev_is_active(&c->io) &&
	    (c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->server->loop, &c->io);
	if (events != 0) {
		ev_io_set(&c->io, c->fd, events);
		ev_io_start(c->server->loop, &c->io);
	}
}

struct conn *
conn_new(struct server *s, int fd, const char *peer)
{
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL)
		goto fail;
	c->server = s;
	c->fd = fd;
	c->in = buf_new((size_t)s->settings->limits.line + READ_WANT);
	c->out = buf_new(REPLY_MAX);
	snprintf(c->peer, sizeof c->peer, "%s", peer);
	if (c->in == NULL || c->out == NULL ||
	    greeting_make(&c->greeting, s->settings->password != NULL) < 0)
		goto fail;
	c->greeting.extensions = COMMANDS_EXTENSIONS;
	if (s->settings->result_retention > 0)
		c->greeting.extensions |= EXTENSION_RESULT;
	if (greeting_put(c->out, &c->greeting) < 0)
		goto fail;
	ev_io_init(&c->io, on_io, fd, EV_READ);
	c->io.data = c;
	ev_timer_init(&c->handshake, on_handshake_late, HANDSHAKE_WAIT, 0.);
	c->handshake.data = c;
	ev_timer_init(&c->stalled, on_stalled, 0., STALL_WAIT);
	c->stalled.data = c;
	ev_timer_start(s->loop, &c->handshake);
	c->next = s->conns;
	if (s->conns != NULL)
		s->conns->prev = c;
	s->conns = c;
	s->nconns++;
	mark_dirty(c);
	return c;

fail:
	if (c != NULL) {
		buf_free(c->in);
		buf_free(c->out);
		free(c);
	}
	close(fd);
	return NULL;
}

const char *
conn_wid(const struct conn *c)
{
	return c->worker != NULL ? c->worker->wid : "";
}

/* Unread bytes would turn our close into a reset that drops the last answer. */
static void
close_politely(int fd)
{
	char unread[4096];

	for (int n = 0; n < DRAIN_READS; n++)
		if (recv(fd, unread, sizeof unread, MSG_DONTWAIT) <
		    (ssize_t)sizeof unread)
			break;
	close(fd);
}

static void
conn_free(struct conn *c)
{
	struct server *s = c->server;

	ev_io_stop(s->loop, &c->io);
	ev_timer_stop(s->loop, &c->handshake);
	ev_timer_stop(s->loop, &c->stalled);
	close_politely(c->fd);
	slots_forget(c);
	if (c->fetch != NULL)
		fetch_abandon(c->fetch);
	if (c->undelivered != NULL) {
		c->undelivered->held->undelivered = NULL;
		jobs_give_back(s->jobs, c->undelivered);
	}
	if (c->worker != NULL)
		workers_leave(
		    c->worker, c->by_host && !c->said_end && !s->stopping);
	s->buffered -= c->accounted;
	*(c->prev != NULL ? &c->prev->next : &s->conns) = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	s->nconns--;
	buf_free(c->in);
	buf_free(c->out);
	free(c);
}

/* ---- answers ----------------------------------------------------------- */

/* Without a sink there was no memory for one: the connection is closed. */
static void
answered(struct conn *c, int result)
{
	if (result < 0)
		conn_close(c);
	mark_dirty(c);
}

void
conn_ok(struct conn *c)
{
	answered(c, resp_put_simple(c->sink, "OK"));
}

void
conn_error(struct conn *c, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	answered(c, resp_put_error(c->sink, "ERR", text));
}

void
conn_bulk(struct conn *c, const char *bytes, size_t len)
{
	answered(c, resp_put_bulk(c->sink, bytes, len));
}

void
conn_null(struct conn *c)
{
	answered(c, resp_put_null(c->sink));
}

void
conn_beat(struct conn *c, const struct beat_reply *reply)
{
	answered(c, beat_put_reply(c->sink, reply));
}

void
conn_deliver(struct conn *c, struct entry *e, const char *bytes, size_t len)
{
	c->undelivered = e;
	e->held->undelivered = &c->undelivered;
	conn_bulk(c, bytes, len);
}

void
conn_wait(struct conn *c, struct pending *p)
{
	/* Behind others it has its slot already; alone it gets one now. */
	p->slot = c->sink != c->out ? c->last_slot : slots_add(c);
	if (p->slot == NULL)
		conn_close(c);
}

struct conn *
conn_resume(struct pending *p)
{
	struct slot *slot = p->slot;
	struct conn *c;

	if (slot == NULL)
		return NULL;
	p->slot = NULL;
	c = slot->conn;
	if (c == NULL) {
		free(slot);
		return NULL;
	}
	slot->done = true;
	if (slot != c->slots) {
		c->sink = slots_text(slot);
	} else {
		c->sink = c->out;
		slots_drop(c);
	}
	mark_dirty(c);
	return c;
}

void
conn_close(struct conn *c)
{
	c->state = CONN_CLOSING;
	mark_dirty(c);
}

void
conn_close_after(struct conn *c)
{
	c->last_word = true;
	mark_dirty(c);
}

/* A read or write has failed with errno, or n is 0: who has closed it? */
static void
note_end(struct conn *c, ssize_t n)
{
	if (n == 0 || errno == ECONNRESET || errno == EPIPE)
		c->by_host = true;
}

bool
conns_hold_too_much(const struct server *s)
{
	return s->buffered > (size_t)s->settings->limits.memory;
}

bool
conn_peer_gone(struct conn *c)
{
	char byte;
	ssize_t n;

	if (c->state == CONN_CLOSING || c->eof)
		return true;
	n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	note_end(c, n);
	return true;
}

/* ---- a turn -------------------------------------------------------------- */

static void
read_some(struct conn *c)
{
	size_t room;
	char *at;
	ssize_t n;

	c->readable = false;
	if (c->eof || c->last_word)
		return;
	at = buf_room(c->in, READ_WANT, &room);
	if (at == NULL)
		return; /* full: command_decode() will say what to do */
	n = recv(c->fd, at, room, MSG_DONTWAIT);
	if (n > 0) {
		buf_filled(c->in, (size_t)n);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	note_end(c, n);
	c->eof = true;
	if (n < 0 || c->fetch != NULL)
		conn_close(c); /* nobody is there to take the job */
}

static void
conn_delivered(struct conn *c)
{
	if (c->undelivered == NULL)
		return;
	c->undelivered->held->undelivered = NULL;
	c->undelivered = NULL;
}

static void
write_some(struct conn *c)
{
	bool took = false;

	while (buf_len(c->out) > 0) {
		ssize_t n = send(c->fd, buf_front(c->out), buf_len(c->out),
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_stall(c, took);
			return;
		}
		if (n < 0) {
			note_end(c, n);
			conn_close(c);
			return;
		}
		buf_drop(c->out, (size_t)n);
		took = true;
	}
	watch_stall(c, took);
	conn_delivered(c);
}

static void
refuse(struct conn *c, const char *why)
{
	c->sink = c->out;
	log_say(LOG_LEVEL_WARNING, c->peer, "closed: %s", why);
	conn_error(c, "%s", why);
	conn_close_after(c);
}

/* Runs one command; its answer waits behind those that are still to come. */
static bool
run(struct conn *c, const struct command_line *line)
{
	struct slot *slot = NULL;

	c->sink = c->out;
	if (c->slots != NULL) {
		slot = slots_add(c);
		if (slot == NULL || slots_text(slot) == NULL) {
			conn_close(c);
			return false;
		}
		c->sink = slot->text;
	}
	c->server->commands++;
	commands_run(c, line);
	if (slot != NULL && buf_len(slot->text) > 0)
		slot->done = true;
	return true;
}

static bool
may_serve(const struct conn *c)
{
	return c->state != CONN_CLOSING && !c->last_word && c->fetch == NULL &&
	    buf_len(c->out) == 0 && c->nslots < SLOTS_MAX;
}

/* Serves what is complete, until a command has to wait or out is filled. */
static bool
serve(struct conn *c)
{
	size_t max = (size_t)c->server->settings->limits.line;

	for (int n = 0; n < TURN_COMMANDS; n++) {
		struct command_line line;

		if (!may_serve(c))
			return false;
		switch (command_decode(buf_front(c->in), buf_len(c->in), max,
		    &c->scanned, &line)) {
		case COMMAND_OK:
			if (c->slots != NULL && !commands_streams(&line))
				return false;
			if (!run(c, &line))
				return false;
			buf_drop(c->in, line.size);
			write_some(c);
			break;
		case COMMAND_MORE:
			if (c->eof && c->slots == NULL)
				conn_close(c);
			return false;
		case COMMAND_TOO_LONG:
			if (c->slots == NULL)
				refuse(c,
				    "the command is longer than this "
				    "server takes");
			return false;
		}
	}
	return true;
}

static void
account(struct conn *c)
{
	size_t now = buf_len(c->in) + buf_len(c->out);

	c->server->buffered += now - c->accounted;
	c->accounted = now;
}

static void
refuse_hoarding(struct conn *c)
{
	if (conns_hold_too_much(c->server) && buf_len(c->in) > READ_AHEAD &&
	    !c->last_word)
		refuse(c,
		    "the server has no room for so many unfinished commands");
}

enum turn_end { TURN_REST, TURN_MORE, TURN_FREED };

static enum turn_end
turn(struct conn *c)
{
	bool more = false;

	if (c->state != CONN_CLOSING && c->readable)
		read_some(c);
	if (c->state != CONN_CLOSING) {
		slots_release(c);
		write_some(c);
		account(c);
		refuse_hoarding(c);
		more = serve(c);
		write_some(c);
		account(c);
	}
	if (c->last_word && !is_busy(c))
		c->state = CONN_CLOSING;
	if (c->state == CONN_CLOSING) {
		conn_free(c);
		return TURN_FREED;
	}
	watch(c);
	return more && !is_busy(c) ? TURN_MORE : TURN_REST;
}

void
conns_turn(struct server *s)
{
	struct conn *c = s->dirty;

	s->dirty = s->dirty_last = NULL;
	while (c != NULL) {
		struct conn *next = c->next_dirty;

		/* Marked until the end: nothing it does can list it twice. */
		enum turn_end end = turn(c);
		if (end != TURN_FREED)
			c->is_dirty = false;
		if (end == TURN_MORE)
			mark_dirty(c);
		c = next;
	}
}
