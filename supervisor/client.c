/*
 * client - the conversation's state machine.
 *
 *          start           addresses         connected       HI         OK
 *   IDLE --------> LOOKUP ----------> DIALING -------> GREETING -> HELLO -> READY
 *                    ^                  |  | next address   |        |        |
 *                    |                  |  +-> DIALING      |        |        |
 *                    +-- timer -- RESTING <-------- lose() -+--------+--------+
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "protocol/command.h"
#include "supervisor/dial.h"
#include "supervisor/handshake.h"
#include "supervisor/holdoff.h"
#include "supervisor/pending.h"
#include "supervisor/resolve.h"

enum { READ_SIZE = 64 * 1024 };

/* A wrong password does not become right by asking often. */
static const double password_rest = 30.;

enum client_state {
	CLIENT_IDLE,     /* not wanted */
	CLIENT_RESTING,  /* no socket; the timer decides when to dial */
	CLIENT_LOOKUP,   /* waiting for addresses */
	CLIENT_DIALING,  /* connect(2) in progress */
	CLIENT_GREETING, /* connected; waiting for HI */
	CLIENT_HELLO,    /* HELLO sent; waiting for OK */
	CLIENT_READY,    /* requests may be sent */
};

struct client {
	enum client_state state;
	int fd;            /* -1 up to LOOKUP */
	ev_io readable;    /* active from GREETING on */
	ev_io writable;    /* active in DIALING, and while the socket is full */
	ev_timer redial;   /* active exactly in RESTING */
	ev_timer patience; /* active while something is waited for */
	ev_prepare flush;  /* active while out has bytes the socket may take */
	struct buf *in;
	struct buf *out;
	struct pending asked; /* of unanswered requests */
	unsigned epoch;       /* counts conversations: has this one ended? */

	struct resolve *lookup;     /* in LOOKUP; owned */
	struct addrinfo *addresses; /* owned */
	struct addrinfo *address;   /* the one being dialled */
	struct holdoff holdoff;
	bool refused;        /* the password */
	unsigned extensions; /* in HELLO and READY */

	struct ev_loop *loop;
	const struct identity *who;
	const char *name;
	enum log_level loud;
	const struct client_hooks *hooks;
	void *ctx;
};

static void dial(struct client *c);

/* The only place where the state changes: watchers always match it. */
static void
enter(struct client *c, enum client_state next)
{
	ev_io_stop(c->loop, &c->readable);
	ev_io_stop(c->loop, &c->writable);
	ev_timer_stop(c->loop, &c->redial);
	ev_timer_stop(c->loop, &c->patience);
	ev_prepare_stop(c->loop, &c->flush);
	c->state = next;

	switch (next) {
	case CLIENT_IDLE:
	case CLIENT_RESTING: /* lose() knows for how long */
	case CLIENT_LOOKUP:  /* getaddrinfo(3) has its own time limit */
		break;
	case CLIENT_DIALING:
		ev_io_set(&c->writable, c->fd, EV_WRITE);
		ev_io_start(c->loop, &c->writable);
		ev_timer_again(c->loop, &c->patience);
		break;
	case CLIENT_GREETING:
	case CLIENT_HELLO:
		ev_timer_again(c->loop, &c->patience);
		/* fall through */
	case CLIENT_READY:
		ev_io_set(&c->readable, c->fd, EV_READ);
		ev_io_set(&c->writable, c->fd, EV_WRITE);
		ev_io_start(c->loop, &c->readable);
		if (buf_len(c->out) > 0)
			ev_prepare_start(c->loop, &c->flush);
		break;
	}
}

/* Ends whatever there is; the unanswered hear of it, the hook does not. */
static void
hang_up(struct client *c, enum client_state next)
{
	struct pending lost = c->asked;
	struct request q;

	resolve_cancel(c->lookup);
	c->lookup = NULL;
	if (c->addresses != NULL)
		freeaddrinfo(c->addresses);
	c->addresses = c->address = NULL;
	buf_clear(c->in);
	buf_clear(c->out);
	enter(c, next);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->epoch++;
	c->extensions = 0;

	c->asked = (struct pending){ 0 };
	while (pending_take(&lost, &q))
		q.done(q.ctx, NULL);
	pending_clear(&lost);
}

/* Every failure in every state ends here. */
static void
lose(struct client *c, const char *why)
{
	bool was_ready = c->state == CLIENT_READY;
	double rest = holdoff_next(&c->holdoff);

	if (c->refused && rest < password_rest)
		rest = password_rest;
	c->refused = false;
	log_say(was_ready && c->loud < LOG_LEVEL_WARNING ? LOG_LEVEL_WARNING
							 : c->loud,
	    "server", "%s: %s; next try in %.1f s (%s)", c->who->shown, why,
	    rest, c->name);

	unsigned epoch = c->epoch + 1;
	hang_up(c, CLIENT_RESTING);
	if (c->epoch == epoch && c->state == CLIENT_RESTING) {
		ev_timer_set(&c->redial, rest, 0.);
		ev_timer_start(c->loop, &c->redial);
	}
	c->hooks->down(c->ctx);
}

static void
write_out(struct client *c)
{
	while (buf_len(c->out) > 0) {
		ssize_t n = send(
		    c->fd, buf_front(c->out), buf_len(c->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			ev_prepare_stop(c->loop, &c->flush);
			ev_io_start(c->loop, &c->writable);
			return;
		}
		if (n < 0) {
			lose(c, strerror(errno));
			return;
		}
		buf_drop(c->out, (size_t)n);
	}
	ev_prepare_stop(c->loop, &c->flush);
	ev_io_stop(c->loop, &c->writable);
}

/* One write for all that was asked in this turn of the loop. */
static void
on_flush(struct ev_loop *loop, ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	write_out(w->data);
}

/* HI has arrived: say HELLO. */
static void
answer_greeting(struct client *c, const struct resp *hi)
{
	struct err e;
	int r = handshake_answer(c->out, hi, c->who, &c->extensions, &e);

	c->refused = r == -EACCES;
	if (r < 0)
		lose(c, e.text);
	else
		enter(c, CLIENT_HELLO);
}

static void
answer_hello(struct client *c, const struct resp *reply)
{
	struct err e;
	int r = handshake_end(reply, &e);

	c->refused = r == -EACCES;
	if (r < 0) {
		lose(c, e.text);
		return;
	}
	c->holdoff.fails = 0;
	freeaddrinfo(c->addresses);
	c->addresses = c->address = NULL;
	enter(c, CLIENT_READY);
	c->hooks->up(c->ctx);
}

static void
answer_request(struct client *c, const struct resp *r)
{
	struct request q;
	char why[256];

	if (!pending_take(&c->asked, &q)) {
		snprintf(why, sizeof why, "the server says \"%.*s\" unasked",
		    (int)(r->len < 200 ? r->len : 200),
		    r->text != NULL ? r->text : "");
		lose(c, why);
		return;
	}
	if (pending_count(&c->asked) > 0)
		ev_timer_again(c->loop, &c->patience);
	else
		ev_timer_stop(c->loop, &c->patience);
	q.done(q.ctx, r);
}

/* Hands out the replies that are there. Each may end the conversation. */
static void
take_replies(struct client *c)
{
	unsigned epoch = c->epoch;

	while (c->epoch == epoch && buf_len(c->in) > 0) {
		struct resp r;
		enum resp_status s = resp_decode(
		    buf_front(c->in), buf_len(c->in), CLIENT_BULK_MAX, &r);

		if (s == RESP_MORE)
			return;
		if (s == RESP_BAD)
			lose(c, "the server sent something that is no reply");
		else if (s == RESP_HUGE)
			lose(c, "the server's reply is larger than we accept");
		else if (c->state == CLIENT_GREETING)
			answer_greeting(c, &r);
		else if (c->state == CLIENT_HELLO)
			answer_hello(c, &r);
		else
			answer_request(c, &r);
		if (s == RESP_OK && c->epoch == epoch)
			buf_drop(c->in, r.size);
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *c = w->data;
	size_t room;
	char *at = buf_room(c->in, READ_SIZE, &room);

	(void)revents;
	if (at == NULL) {
		lose(c, "no memory for the server's reply");
		return;
	}
	ssize_t n = read(c->fd, at, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		const char *why = n < 0 ? strerror(errno)
					: "the server closed the connection";

		if (n == 0 && c->state == CLIENT_HELLO)
			why = "the server closed the connection after HELLO";
		lose(c, why);
		return;
	}
	buf_filled(c->in, (size_t)n);
	if (ev_is_active(&c->patience))
		ev_timer_again(loop, &c->patience);
	take_replies(c);
}

/* Dialling is over, one way or the other. */
static void
on_connected(struct client *c)
{
	int error = dial_result(c->fd);

	if (error == 0) {
		enter(c, CLIENT_GREETING);
		return;
	}
	if (c->address->ai_next == NULL) {
		lose(c, strerror(error));
		return;
	}
	close(c->fd);
	c->fd = -1;
	c->address = c->address->ai_next;
	dial(c);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *c = w->data;

	(void)loop;
	(void)revents;
	if (c->state == CLIENT_DIALING)
		on_connected(c);
	else
		write_out(c);
}

static void
on_patience(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct client *c = w->data;

	(void)loop;
	(void)revents;
	lose(c,
	    c->state == CLIENT_DIALING ? "no connection within 10 s"
				       : "no answer within 10 s");
}

/* Dials c->address, or the first after it that can be dialled at all. */
static void
dial(struct client *c)
{
	int error = 0;

	for (; c->address != NULL; c->address = c->address->ai_next) {
		int fd = dial_start(c->address);

		if (fd >= 0) {
			c->fd = fd;
			enter(c, CLIENT_DIALING);
			return;
		}
		error = -fd;
	}
	lose(c, strerror(error));
}

static void
on_addresses(void *ctx, struct addrinfo *list, const char *why)
{
	struct client *c = ctx;

	c->lookup = NULL; /* freed by itself */
	if (list == NULL) {
		lose(c, why);
		return;
	}
	c->addresses = c->address = list;
	dial(c);
}

static void
look_up(struct client *c)
{
	enter(c, CLIENT_LOOKUP);
	c->lookup = resolve_start(
	    c->loop, c->who->url->host, c->who->url->port, on_addresses, c);
	if (c->lookup == NULL)
		lose(c, "cannot look up the host: out of memory or threads");
}

static void
on_redial(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	look_up(w->data);
}

struct client *
client_new(struct ev_loop *loop, const struct identity *who, const char *name,
    enum log_level loud, const struct client_hooks *hooks, void *ctx)
{
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->fd = -1;
	c->loop = loop;
	c->who = who;
	c->name = name;
	c->loud = loud;
	c->hooks = hooks;
	c->ctx = ctx;
	c->holdoff = (struct holdoff){ .first = 0.5, .most = 30. };
	ev_io_init(&c->readable, on_readable, -1, EV_READ);
	ev_io_init(&c->writable, on_writable, -1, EV_WRITE);
	ev_timer_init(&c->redial, on_redial, 0., 0.);
	ev_timer_init(&c->patience, on_patience, 0., CLIENT_PATIENCE);
	ev_prepare_init(&c->flush, on_flush);
	c->readable.data = c->writable.data = c->redial.data =
	    c->patience.data = c->flush.data = c;

	c->in = buf_new(CLIENT_BULK_MAX + RESP_LINE_MAX);
	c->out = buf_new(CLIENT_OUT_MAX);
	if (c->in == NULL || c->out == NULL) {
		client_free(c);
		return NULL;
	}
	return c;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	/* Nobody is told any more: who asked may be gone already. */
	pending_clear(&c->asked);
	if (c->in != NULL && c->out != NULL)
		hang_up(c, CLIENT_IDLE);
	buf_free(c->in);
	buf_free(c->out);
	free(c);
}

void
client_start(struct client *c)
{
	if (c->state == CLIENT_IDLE)
		look_up(c);
}

void
client_end(struct client *c)
{
	if (c->state == CLIENT_READY &&
	    command_put(c->out, "END", NULL, 0) == 0)
		(void)!send(c->fd, buf_front(c->out), buf_len(c->out),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	hang_up(c, CLIENT_IDLE);
}

void
client_redial(struct client *c, const char *why)
{
	log_say(LOG_LEVEL_WARNING, "server", "%s: %s; connecting anew (%s)",
	    c->who->shown, why, c->name);
	hang_up(c, CLIENT_IDLE);
	c->hooks->down(c->ctx);
	client_start(c);
}

bool
client_ready(const struct client *c)
{
	return c->state == CLIENT_READY;
}

unsigned
client_extensions(const struct client *c)
{
	return c->extensions;
}

int
client_ask(struct client *c, const char *line, size_t len, client_reply *done,
    void *ctx)
{
	if (c->state != CLIENT_READY)
		return -ENOTCONN;

	int r = buf_append(c->out, line, len);
	if (r < 0)
		return r;
	r = pending_put(&c->asked, &(struct request){ done, ctx });
	if (r < 0) {
		buf_cut(c->out, buf_len(c->out) - len);
		return r;
	}
	if (pending_count(&c->asked) == 1)
		ev_timer_again(c->loop, &c->patience);
	if (!ev_is_active(&c->writable))
		ev_prepare_start(c->loop, &c->flush);
	return 0;
}
