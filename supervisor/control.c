/*
 * control - a listening socket and its conversations.
 *
 *   READING --request--> STAYING --control_last()--> ENDING --all sent--> gone
 *      |  '----------------------------------------------^                  ^
 *      '-------- the peer's end, no progress, eviction ---------------------'
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "supervisor/door.h"

enum { READ_SIZE = 4096, WASTE_READS = 16, NOTICE_MAX = 64 };

enum peer_state { PEER_READING, PEER_STAYING, PEER_ENDING };

struct control_peer {
	TAILQ_ENTRY(control_peer) link;
	struct control *control;
	enum peer_state state;
	int fd;
	ev_io readable;
	ev_io writable; /* active exactly while there is something to send */
	ev_timer limit; /* not in STAYING with nothing to send */
	struct buf *in;
	struct buf *out;
	unsigned long long left_out; /* lines not told yet */
	char who[64];
	void (*gone)(void *data); /* NULL: it does not stay */
	void *data;
};

struct control {
	TAILQ_HEAD(peers, control_peer) peers; /* the oldest first */
	size_t count;
	struct door door;
	int64_t refused_at; /* when a refusal was last logged */
	unsigned long long refused;

	struct ev_loop *loop;
	const struct control_socket *socket;
	control_asked *asked;
	void *ctx;
};

static void
end(struct control_peer *p)
{
	struct control *c = p->control;
	char waste[READ_SIZE];

	TAILQ_REMOVE(&c->peers, p, link);
	c->count--;
	ev_io_stop(c->loop, &p->readable);
	ev_io_stop(c->loop, &p->writable);
	ev_timer_stop(c->loop, &p->limit);
	/* A close with bytes unread would be a reset to the peer. */
	for (int i = 0; i < WASTE_READS; i++)
		if (recv(p->fd, waste, sizeof waste, MSG_DONTWAIT) <= 0)
			break;
	close(p->fd);
	buf_free(p->in);
	buf_free(p->out);
	if (p->gone != NULL)
		p->gone(p->data);
	free(p);
}

static void
set_limit(struct control_peer *p, double seconds)
{
	struct ev_loop *loop = p->control->loop;

	ev_timer_stop(loop, &p->limit);
	ev_timer_set(&p->limit, seconds, 0.);
	ev_timer_start(loop, &p->limit);
}

/* There is something to send, or it has become less. */
static void
expect_progress(struct control_peer *p)
{
	set_limit(p,
	    p->state == PEER_STAYING ? CONTROL_STREAM_PATIENCE
				     : CONTROL_PATIENCE);
}

static void
begin_sending(struct control_peer *p)
{
	if (ev_is_active(&p->writable))
		return;
	ev_io_start(p->control->loop, &p->writable);
	expect_progress(p);
}

static bool
put(struct control_peer *p, const char *bytes, size_t len)
{
	if (buf_append(p->out, bytes, len) < 0)
		return false;
	begin_sending(p);
	return true;
}

/* Bytes that all peers together have not taken yet. */
static size_t
held(const struct control *c)
{
	const struct control_peer *p;
	size_t n = 0;

	for (p = TAILQ_FIRST(&c->peers); p != NULL; p = TAILQ_NEXT(p, link))
		n += buf_len(p->out);
	return n;
}

static bool
has_room(const struct control_peer *p, size_t len)
{
	size_t max = p->state == PEER_STAYING ? (size_t)CONTROL_STREAM_MAX
					      : (size_t)CONTROL_ANSWER_MAX;

	if (buf_len(p->out) + len > max)
		return false;
	return p->state == PEER_STAYING ||
	    held(p->control) + len <= CONTROL_HELD_MAX;
}

/* What was left out is told before anything else is. */
static bool
tell_left_out(struct control_peer *p, size_t more)
{
	char line[NOTICE_MAX];

	if (p->left_out == 0)
		return true;
	int n =
	    snprintf(line, sizeof line, "{\"left_out\":%llu}\n", p->left_out);
	if (!has_room(p, (size_t)n + more) || !put(p, line, (size_t)n))
		return false;
	p->left_out = 0;
	return true;
}

bool
control_line(struct control_peer *p, const char *bytes, size_t len)
{
	if (has_room(p, len) && tell_left_out(p, len) && put(p, bytes, len))
		return true;
	if (p->state == PEER_STAYING)
		p->left_out++;
	return false;
}

void
control_last(struct control_peer *p, const char *bytes, size_t len)
{
	p->gone = NULL;
	p->state = PEER_ENDING; /* which has room for both */
	(void)tell_left_out(p, 0);
	/* Without memory the peer sees an end without a last line. */
	(void)buf_append(p->out, bytes, len);
	begin_sending(p);
	expect_progress(p);
}

void
control_stay(struct control_peer *p, void (*gone)(void *data), void *data)
{
	p->state = PEER_STAYING;
	p->gone = gone;
	p->data = data;
	if (!ev_is_active(&p->writable))
		ev_timer_stop(p->control->loop, &p->limit);
}

const char *
control_who(const struct control_peer *p)
{
	return p->who;
}

/* Sends once. Returns false when the peer is gone. */
static bool
send_some(struct control_peer *p)
{
	ssize_t n =
	    send(p->fd, buf_front(p->out), buf_len(p->out), MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buf_drop(p->out, (size_t)n);
	if (n > 0)
		expect_progress(p);
	return true;
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct control_peer *p = w->data;

	(void)revents;
	if (!send_some(p)) {
		end(p);
		return;
	}
	if (buf_len(p->out) == 0 && p->state == PEER_STAYING)
		(void)tell_left_out(p, 0);
	if (buf_len(p->out) > 0)
		return;
	if (p->state == PEER_ENDING) {
		end(p);
		return;
	}
	ev_io_stop(loop, &p->writable);
	ev_timer_stop(loop, &p->limit);
}

static void
refuse(struct control_peer *p, const char *code, const char *text)
{
	struct buf *line = buf_new(CONTROL_LAST_MAX);

	if (line != NULL &&
	    buf_printf(line, "{\"code\":\"%s\",\"error\":", code) == 0 &&
	    json_put_string(line, text, strlen(text)) == 0 &&
	    buf_puts(line, "}\n") == 0)
		control_last(p, buf_front(line), buf_len(line));
	else
		control_last(p, "", 0);
	buf_free(line);
}

static void
on_line(struct control_peer *p, const char *line, size_t len)
{
	struct control *c = p->control;
	struct control_request q;
	struct err e;

	if (control_request_read(line, len, &q, &e) < 0)
		refuse(p, "bad-request", e.text);
	else
		c->asked(c->ctx, p, &q);
}

static void
read_request(struct control_peer *p)
{
	size_t room;
	char *to = buf_room(p->in, READ_SIZE, &room);
	ssize_t n = to != NULL ? recv(p->fd, to, room, 0) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(p);
		return;
	}
	buf_filled(p->in, (size_t)n);
	const char *bytes = buf_front(p->in);
	const char *lf = memchr(bytes, '\n', buf_len(p->in));
	if (lf != NULL)
		on_line(p, bytes, (size_t)(lf - bytes));
	else if (buf_len(p->in) > CONTROL_LINE_MAX)
		refuse(p, "bad-request", "the line is too long");
}

/* Nothing more is to be said; only the peer's end counts. */
static void
read_waste(struct control_peer *p)
{
	char waste[READ_SIZE];
	ssize_t n = recv(p->fd, waste, sizeof waste, 0);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	/* It may have ended its side only, and wait for the answer. */
	if (p->state == PEER_ENDING && n == 0)
		ev_io_stop(p->control->loop, &p->readable);
	else
		end(p);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct control_peer *p = w->data;

	(void)loop;
	(void)revents;
	if (p->state == PEER_READING)
		read_request(p);
	else
		read_waste(p);
}

static void
on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	end(w->data);
}

/* Said once a second at most: whoever is refused can come again at once. */
static void
log_refusal(struct control *c, const struct control_peer *p)
{
	int64_t now = clock_mono();

	c->refused++;
	if (c->refused_at != 0 && now - c->refused_at < CLOCK_NS_PER_S)
		return;
	c->refused_at = now;
	log_say(LOG_LEVEL_WARNING, "control",
	    "%s may not give orders here; %llu refused since the start", p->who,
	    c->refused);
}

static void
check(struct control_peer *p)
{
	const struct control *c = p->control;
	struct access_peer peer;
	int r = access_peer_read(p->fd, &peer);

	snprintf(p->who, sizeof p->who, "uid %lld, pid %lld",
	    (long long)(int32_t)peer.uid, (long long)peer.pid);
	if (r < 0 || !access_allows(&c->socket->rule, &peer)) {
		log_refusal(p->control, p);
		refuse(p, "denied",
		    c->socket->rule.has_group
			? "only root, the supervisor's own user and the group "
			  "of control.group may give orders"
			: "only root and the supervisor's own user may give "
			  "orders; control.group lets a group");
	} else if (c->count > CONTROL_PEERS) {
		refuse(p, "busy", "too many others are connected");
	}
	access_peer_clear(&peer);
}

/* The oldest that still owes us its request. */
static void
evict(struct control *c)
{
	struct control_peer *p = TAILQ_FIRST(&c->peers);

	while (p != NULL && p->state != PEER_READING)
		p = TAILQ_NEXT(p, link);
	if (p != NULL)
		end(p);
}

static void
on_came(void *ctx, int fd)
{
	struct control *c = ctx;
	struct control_peer *p = calloc(1, sizeof *p);

	if (p != NULL) {
		p->in = buf_new(CONTROL_LINE_MAX + READ_SIZE);
		p->out = buf_new(
		    (size_t)CONTROL_ANSWER_MAX + NOTICE_MAX + CONTROL_LAST_MAX);
	}
	/* Some more than a full house, to be told so; then not even that. */
	if (c->count >= CONTROL_PEERS)
		evict(c);
	if (p == NULL || p->in == NULL || p->out == NULL ||
	    c->count >= (size_t)2 * CONTROL_PEERS) {
		if (p != NULL) {
			buf_free(p->in);
			buf_free(p->out);
		}
		free(p);
		close(fd);
		return;
	}
	p->control = c;
	p->fd = fd;
	ev_io_init(&p->readable, on_readable, fd, EV_READ);
	ev_io_init(&p->writable, on_writable, fd, EV_WRITE);
	ev_init(&p->limit, on_limit);
	p->readable.data = p->writable.data = p->limit.data = p;
	TAILQ_INSERT_TAIL(&c->peers, p, link);
	c->count++;
	ev_io_start(c->loop, &p->readable);
	set_limit(p, CONTROL_PATIENCE);
	check(p);
}

struct control *
control_new(struct ev_loop *loop, struct control_socket *socket,
    control_asked *asked, void *ctx)
{
	struct control *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	TAILQ_INIT(&c->peers);
	c->loop = loop;
	c->socket = socket;
	c->asked = asked;
	c->ctx = ctx;
	for (size_t i = 0; i < socket->nguests; i++)
		on_came(c, socket->guests[i]);
	socket->nguests = 0;
	door_open(&c->door, loop, socket->fd, on_came, c);
	return c;
}

void
control_free(struct control *c)
{
	struct control_peer *p, *next;

	if (c == NULL)
		return;
	for (p = TAILQ_FIRST(&c->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		end(p);
	}
	door_close(&c->door);
	free(c);
}

void
control_flush(struct control *c)
{
	struct control_peer *p;

	for (p = TAILQ_FIRST(&c->peers); p != NULL; p = TAILQ_NEXT(p, link))
		if (buf_len(p->out) > 0)
			(void)send_some(p);
}

void
control_save(const struct control *c, struct state_writer *w)
{
	struct control_socket with = *c->socket;
	const struct control_peer *p;

	for (p = TAILQ_FIRST(&c->peers); p != NULL; p = TAILQ_NEXT(p, link))
		if (p->state == PEER_READING && buf_len(p->in) == 0 &&
		    with.nguests < CONTROL_GUESTS_MAX)
			with.guests[with.nguests++] = p->fd;
	control_socket_save(&with, w);
}

size_t
control_peers(const struct control *c)
{
	return c->count;
}
