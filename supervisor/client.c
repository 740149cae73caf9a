/*
 * client - the conversation's state machine.
 *
 *         start          reached         HI         OK
 *   IDLE -------> DIALING -----> GREETING -> HELLO -> READY
 *                  ^  |              |         |        |
 *          timer --+  +-- lose() ----+---------+--------+
 *            |               |
 *         RESTING <----------+
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "protocol/command.h"
#include "supervisor/channel.h"
#include "supervisor/dialer.h"
#include "supervisor/handshake.h"
#include "supervisor/holdoff.h"
#include "supervisor/pending.h"

/* A wrong password does not become right by asking often. */
static const double password_rest = 30.;

enum client_state {
	CLIENT_IDLE,     /* not wanted */
	CLIENT_RESTING,  /* no socket; the timer decides when to dial */
	CLIENT_DIALING,  /* the dialer is at work */
	CLIENT_GREETING, /* connected; waiting for HI */
	CLIENT_HELLO,    /* HELLO sent; waiting for OK */
	CLIENT_READY,    /* requests may be sent */
};

struct client {
	enum client_state state;
	struct dialer *dialer;  /* in DIALING; owned */
	struct channel channel; /* open from GREETING on */
	ev_timer redial;        /* active exactly in RESTING */
	ev_timer patience;      /* active while something is waited for */
	struct pending asked;   /* of unanswered requests */

	struct holdoff holdoff;
	bool refused;        /* the password, and there is no other */
	unsigned shown;      /* credential_number() of our HELLO */
	unsigned extensions; /* in HELLO and READY */

	struct ev_loop *loop;
	const struct identity *who;
	const char *name;
	enum log_level loud;
	const struct client_hooks *hooks;
	void *ctx;
};

/* The only place where the state changes: timers always match it. */
static void
enter(struct client *c, enum client_state next)
{
	ev_timer_stop(c->loop, &c->redial); /* lose() knows for how long */
	ev_timer_stop(c->loop, &c->patience);
	c->state = next;
	/* While it dials, the dialer has its own time limits. */
	if (next == CLIENT_GREETING || next == CLIENT_HELLO)
		ev_timer_again(c->loop, &c->patience);
}

/* Ends whatever there is; the unanswered hear of it, the hook does not. */
static void
hang_up(struct client *c, enum client_state next)
{
	struct pending lost = c->asked;
	struct request q;

	dialer_cancel(c->dialer);
	c->dialer = NULL;
	enter(c, next);
	channel_close(&c->channel);
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

	unsigned closings = c->channel.closings + 1;
	hang_up(c, CLIENT_RESTING);
	if (c->channel.closings == closings && c->state == CLIENT_RESTING) {
		ev_timer_set(&c->redial, rest, 0.);
		ev_timer_start(c->loop, &c->redial);
	}
	c->hooks->down(c->ctx);
}

/* A password that was refused may have been changed since it was read. */
static bool
is_refused(struct client *c, int result)
{
	return result == -EACCES &&
	    (c->who->password != NULL ||
		!credential_renew(c->who->credential, c->shown));
}

/* HI has arrived: say HELLO. */
static void
answer_greeting(struct client *c, const struct resp *hi)
{
	struct err e;

	c->shown = credential_number(c->who->credential);
	int r =
	    handshake_answer(c->channel.out, hi, c->who, &c->extensions, &e);

	c->refused = is_refused(c, r);
	if (r < 0) {
		lose(c, e.text);
		return;
	}
	enter(c, CLIENT_HELLO);
	channel_send(&c->channel);
}

static void
answer_hello(struct client *c, const struct resp *reply)
{
	struct err e;
	int r = handshake_end(reply, &e);

	c->refused = is_refused(c, r);
	if (r < 0) {
		lose(c, e.text);
		return;
	}
	c->holdoff.fails = 0;
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
	const struct channel *ch = &c->channel;
	unsigned closings = ch->closings;

	while (ch->closings == closings && buf_len(ch->in) > 0) {
		struct resp r;
		enum resp_status s = resp_decode(
		    buf_front(ch->in), buf_len(ch->in), CLIENT_BULK_MAX, &r);

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
		if (s == RESP_OK && ch->closings == closings)
			buf_drop(ch->in, r.size);
	}
}

/* What the other end's silence or farewell most likely means. */
static const char *
why_ended(const struct client *c)
{
	if (c->state == CLIENT_GREETING && !c->who->url->tls)
		return "the server closed the connection before its greeting; "
		       "does it want TLS (tcp+tls://)?";
	if (c->state == CLIENT_HELLO)
		return "the server closed the connection after HELLO";
	return "the server closed the connection";
}

static void
on_came(void *ctx)
{
	struct client *c = ctx;

	if (ev_is_active(&c->patience))
		ev_timer_again(c->loop, &c->patience);
	take_replies(c);
}

static void
on_lost(void *ctx, const char *why)
{
	struct client *c = ctx;

	lose(c, why != NULL ? why : why_ended(c));
}

static const struct channel_hooks channel_hooks = { on_came, on_lost };

static void
on_patience(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct client *c = w->data;

	(void)loop;
	(void)revents;
	lose(c,
	    c->state == CLIENT_GREETING && !c->who->url->tls
		? "no greeting within 10 s; does the server want TLS "
		  "(tcp+tls://)?"
		: "no answer within 10 s");
}

static void
on_dialled(void *ctx, struct stream *stream, const char *why)
{
	struct client *c = ctx;

	c->dialer = NULL; /* freed by itself */
	if (stream == NULL) {
		lose(c, why);
		return;
	}
	enter(c, CLIENT_GREETING);
	channel_open(&c->channel, stream);
}

static void
dial(struct client *c)
{
	enter(c, CLIENT_DIALING);
	c->dialer =
	    dialer_start(c->loop, c->who->url, c->who->tls, on_dialled, c);
	if (c->dialer == NULL)
		lose(c, "cannot look up the host: out of memory or threads");
}

static void
on_redial(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	dial(w->data);
}

struct client *
client_new(struct ev_loop *loop, const struct identity *who, const char *name,
    enum log_level loud, const struct client_hooks *hooks, void *ctx)
{
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->loop = loop;
	c->who = who;
	c->name = name;
	c->loud = loud;
	c->hooks = hooks;
	c->ctx = ctx;
	c->holdoff = (struct holdoff){ .first = 0.5, .most = 30. };
	ev_timer_init(&c->redial, on_redial, 0., 0.);
	ev_timer_init(&c->patience, on_patience, 0., CLIENT_PATIENCE);
	c->redial.data = c->patience.data = c;
	if (channel_init(&c->channel, loop, CLIENT_BULK_MAX + RESP_LINE_MAX,
		CLIENT_OUT_MAX, &channel_hooks, c) < 0) {
		free(c);
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
	hang_up(c, CLIENT_IDLE);
	channel_clear(&c->channel);
	free(c);
}

void
client_start(struct client *c)
{
	if (c->state == CLIENT_IDLE)
		dial(c);
}

void
client_end(struct client *c)
{
	if (c->state == CLIENT_READY &&
	    command_put(c->channel.out, "END", NULL, 0) == 0)
		channel_send_last(&c->channel);
	hang_up(c, CLIENT_IDLE);
}

void
client_hang_up(struct client *c)
{
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

void
client_give_up(struct client *c, const char *why)
{
	lose(c, why);
}

void
client_hurry(struct client *c)
{
	if (c->state == CLIENT_IDLE || c->state == CLIENT_RESTING)
		dial(c);
}

bool
client_idle(const struct client *c)
{
	return c->state == CLIENT_IDLE;
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

	struct buf *out = c->channel.out;
	int r = buf_append(out, line, len);
	if (r < 0)
		return r;
	r = pending_put(&c->asked, &(struct request){ done, ctx });
	if (r < 0) {
		buf_cut(out, buf_len(out) - len);
		return r;
	}
	if (pending_count(&c->asked) == 1)
		ev_timer_again(c->loop, &c->patience);
	channel_send(&c->channel);
	return 0;
}
