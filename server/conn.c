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
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "protocol/command.h"
#include "protocol/resp.h"
#include "server/commands.h"
#include "server/conn_wire.h"
#include "server/parts.h"
#include "server/slots.h"

enum {
	TURN_COMMANDS = 64, /* of one connection, so others get theirs */
	SLOTS_MAX = 256,    /* answers that one connection may wait for */
	REPLY_MAX = 1 << 30,
};

/* The handshake must be over by then: docs/protocol.md, "Handshake". */
#define HANDSHAKE_WAIT 2.0
#define SECURE_WAIT    5.0

void
conn_mark(struct conn *c)
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
on_handshake_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	(void)revents;
	if (c->state == CONN_SECURING)
		conn_wire_late(c);
	conn_close(c);
}

static void
wait_for_peer(struct conn *c, double seconds)
{
	ev_timer_stop(c->server->loop, &c->handshake);
	ev_timer_set(&c->handshake, seconds, 0.);
	ev_timer_start(c->server->loop, &c->handshake);
}

static void
greet(struct conn *c)
{
	c->state = CONN_GREETED;
	wait_for_peer(c, HANDSHAKE_WAIT);
	if (greeting_make(&c->greeting, c->server->settings->password != NULL) <
	    0) {
		conn_close(c);
		return;
	}
	c->greeting.extensions = COMMANDS_EXTENSIONS;
	if (c->server->settings->result_retention > 0)
		c->greeting.extensions |= EXTENSION_RESULT;
	if (greeting_put(c->out, &c->greeting) < 0)
		conn_close(c);
}

static void
secure(struct conn *c)
{
	int r = conn_wire_secure(c);

	if (r == 0)
		greet(c);
	else if (r != -EAGAIN)
		conn_close(c);
}

struct conn *
conn_new(struct server *s, int fd, const char *peer)
{
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->server = s;
	if (conn_wire_open(c, fd) < 0) {
		free(c);
		return NULL;
	}
	c->in = buf_new((size_t)s->settings->limits.line + CONN_READ_WANT);
	c->out = buf_new(REPLY_MAX);
	snprintf(c->peer, sizeof c->peer, "%s", peer);
	if (c->in == NULL || c->out == NULL) {
		stream_close(c->stream);
		buf_free(c->in);
		buf_free(c->out);
		free(c);
		return NULL;
	}
	ev_timer_init(&c->handshake, on_handshake_late, SECURE_WAIT, 0.);
	c->handshake.data = c;
	ev_timer_start(s->loop, &c->handshake);
	c->next = s->conns;
	if (s->conns != NULL)
		s->conns->prev = c;
	s->conns = c;
	s->nconns++;
	conn_mark(c);
	return c;
}

const char *
conn_wid(const struct conn *c)
{
	return c->worker != NULL ? c->worker->wid : "";
}

static enum parting
parting(const struct conn *c)
{
	if (c->said_end)
		return PARTING_END;
	return c->by_host && !c->server->stopping ? PARTING_HOST : PARTING_OURS;
}

static void
conn_free(struct conn *c)
{
	struct server *s = c->server;

	ev_timer_stop(s->loop, &c->handshake);
	conn_wire_close(c);
	slots_forget(c);
	if (c->fetch != NULL)
		fetch_abandon(c->fetch);
	for (size_t i = 0; i < c->nundelivered; i++) {
		struct entry *e = c->undelivered[i];

		if (e == NULL)
			continue;
		e->held->undelivered = NULL;
		jobs_give_back(s->jobs, e);
	}
	if (c->worker != NULL)
		workers_leave(c->worker, parting(c));
	s->buffered -= c->accounted;
	*(c->prev != NULL ? &c->prev->next : &s->conns) = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	s->nconns--;
	buf_free(c->in);
	buf_free(c->out);
	buf_free(c->jobs);
	free(c);
}

/* ---- answers ----------------------------------------------------------- */

/* Without a sink there was no memory for one: the connection is closed. */
static void
answered(struct conn *c, int result)
{
	if (result < 0)
		conn_close(c);
	conn_mark(c);
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

static void
remember(struct conn *c, struct entry *e)
{
	e->held->undelivered = &c->undelivered[c->nundelivered];
	c->undelivered[c->nundelivered++] = e;
}

void
conn_deliver(struct conn *c, struct entry *e, const char *bytes, size_t len)
{
	remember(c, e);
	conn_bulk(c, bytes, len);
}

bool
conn_gather(struct conn *c, struct entry *e, const char *bytes, size_t len)
{
	if (c->state == CONN_CLOSING || c->nundelivered == FETCHB_JOBS_MAX ||
	    (c->nundelivered > 0 &&
		buf_len(c->jobs) + len > FETCHB_BYTES_MAX) ||
	    resp_put_bulk(c->jobs, bytes, len) < 0)
		return false;
	remember(c, e);
	return true;
}

void
conn_deliver_gathered(struct conn *c)
{
	int r = resp_put_array(c->sink, c->nundelivered);

	if (r == 0)
		r = buf_append(c->sink, buf_front(c->jobs), buf_len(c->jobs));
	answered(c, r);
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
	conn_mark(c);
	return c;
}

void
conn_close(struct conn *c)
{
	c->state = CONN_CLOSING;
	conn_mark(c);
}

void
conn_close_after(struct conn *c)
{
	c->last_word = true;
	conn_mark(c);
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
	n = recv(stream_fd(c->stream), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	conn_wire_ended(c, n < 0 ? errno : 0);
	return true;
}

/* ---- a turn -------------------------------------------------------------- */

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
			conn_wire_write(c);
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
	if (conns_hold_too_much(c->server) &&
	    buf_len(c->in) > CONN_READ_AHEAD && !c->last_word)
		refuse(c,
		    "the server has no room for so many unfinished commands");
}

/*
 * What was sent ahead is not done any more once the server stops: whoever has
 * sent it is told so, in a stock server's words.
 */
static void
refuse_at_stop(struct conn *c)
{
	struct command_line line;

	if (!c->server->stopping || c->state != CONN_SERVING ||
	    command_decode(buf_front(c->in), buf_len(c->in),
		(size_t)c->server->settings->limits.line, &c->scanned,
		&line) != COMMAND_OK ||
	    command_is(&line, "END"))
		return;
	buf_drop(c->in, buf_len(c->in));
	c->scanned = 0;
	c->sink = c->out;
	conn_error(c, "shutdown in progress");
	conn_wire_write(c);
	account(c);
}

enum turn_end { TURN_REST, TURN_MORE, TURN_FREED };

static enum turn_end
turn(struct conn *c)
{
	bool more = false;

	if (c->state == CONN_SECURING)
		secure(c);
	if (c->state > CONN_SECURING && c->state != CONN_CLOSING &&
	    conn_wire_may_read(c))
		conn_wire_read(c);
	if (c->state > CONN_SECURING && c->state != CONN_CLOSING) {
		slots_release(c);
		conn_wire_write(c);
		account(c);
		refuse_hoarding(c);
		more = serve(c);
		conn_wire_write(c);
		account(c);
	}
	if (c->last_word && !conn_is_busy(c))
		refuse_at_stop(c);
	if (c->last_word && !conn_is_busy(c))
		c->state = CONN_CLOSING;
	if (c->state == CONN_CLOSING) {
		conn_free(c);
		return TURN_FREED;
	}
	conn_wire_watch(c);
	if (c->state > CONN_SECURING && conn_wire_may_read(c))
		return TURN_MORE;
	return more && !conn_is_busy(c) ? TURN_MORE : TURN_REST;
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
			conn_mark(c);
		c = next;
	}
}
