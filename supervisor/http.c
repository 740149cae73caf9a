/*
 * http - a listening socket and its short-lived connections.
 *
 *   READING --request, mistake--> WRITING --all sent--> LINGERING --EOF--> gone
 *      '----------- 10 s, the peer's end, a fault, eviction -----------------^
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/http.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "config/address.h"
#include "supervisor/door.h"
#include "supervisor/http_request.h"

enum { BACKLOG = 128, READ_SIZE = 4096, HEAD_ROOM = 512 };

/* Seconds until a peer has read what we said. */
#define LINGER 1.

static const char plain[] = "text/plain; charset=utf-8";

enum conn_state { CONN_READING, CONN_WRITING, CONN_LINGERING };

struct conn {
	TAILQ_ENTRY(conn) link;
	struct http *http;
	enum conn_state state;
	int fd;
	ev_io ready;    /* EV_WRITE in WRITING, else EV_READ */
	ev_timer limit; /* of this state */
	struct buf *in;
	struct buf *out; /* NULL while READING */
	size_t held;     /* of http->held */
};

struct http {
	TAILQ_HEAD(conns, conn) conns; /* the oldest first */
	size_t count;
	size_t held; /* bytes of all answers not taken yet */
	int fd;
	struct door door;
	unsigned port;

	struct ev_loop *loop;
	http_respond *respond;
	void *ctx;
};

static void
end(struct conn *c)
{
	struct http *h = c->http;

	TAILQ_REMOVE(&h->conns, c, link);
	h->count--;
	h->held -= c->held;
	ev_io_stop(h->loop, &c->ready);
	ev_timer_stop(h->loop, &c->limit);
	close(c->fd);
	buf_free(c->in);
	buf_free(c->out);
	free(c);
}

static void
enter(struct conn *c, enum conn_state next, double limit)
{
	struct ev_loop *loop = c->http->loop;

	ev_io_stop(loop, &c->ready);
	ev_io_set(&c->ready, c->fd, next == CONN_WRITING ? EV_WRITE : EV_READ);
	ev_io_start(loop, &c->ready);
	ev_timer_stop(loop, &c->limit);
	ev_timer_set(&c->limit, limit, 0.);
	ev_timer_start(loop, &c->limit);
	c->state = next;
}

static const char *
reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

static void
put_body(struct http *h, int status, const struct http_request *q,
    struct http_answer *a)
{
	*a = (struct http_answer){ 404, plain, a->body };
	if (status == 200)
		h->respond(h->ctx, q->path, q->path_len, a);
	else
		a->status = status;
	if (h->held + buf_len(a->body) > HTTP_HELD_MAX) {
		buf_clear(a->body);
		a->status = 503;
		a->type = plain;
	}
	if (buf_len(a->body) == 0)
		(void)buf_printf(
		    a->body, "%d %s\n", a->status, reason(a->status));
}

/* Returns 0 with c->out filled, or -ENOMEM. */
static int
answer(struct conn *c, int status, const struct http_request *q)
{
	struct http_answer a = { .body = buf_new(HTTP_BODY_MAX) };
	int r = -ENOMEM;

	c->out = buf_new((size_t)HTTP_BODY_MAX + HEAD_ROOM);
	if (a.body != NULL && c->out != NULL) {
		put_body(c->http, status, q, &a);
		r = buf_printf(c->out,
		    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
		    "Content-Length: %zu\r\nCache-Control: no-store\r\n%s"
		    "Connection: close\r\n\r\n",
		    a.status, reason(a.status), a.type, buf_len(a.body),
		    a.status == 405 ? "Allow: GET, HEAD\r\n" : "");
		if (r == 0 && !(status == 200 && q->head))
			r = buf_append(
			    c->out, buf_front(a.body), buf_len(a.body));
	}
	buf_free(a.body);
	if (r < 0)
		return -ENOMEM;
	c->held = buf_len(c->out);
	c->http->held += c->held;
	return 0;
}

static void
on_writable(struct conn *c)
{
	ssize_t n =
	    send(c->fd, buf_front(c->out), buf_len(c->out), MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		end(c);
		return;
	}
	if (n > 0)
		buf_drop(c->out, (size_t)n);
	if (buf_len(c->out) > 0)
		return;
	/* A close with bytes unread would reset what was just said. */
	(void)shutdown(c->fd, SHUT_WR);
	c->http->held -= c->held;
	c->held = 0;
	buf_free(c->out);
	c->out = NULL;
	enter(c, CONN_LINGERING, LINGER);
}

static void
on_request(struct conn *c)
{
	struct http_request q = { 0 };
	int status = http_request_read(buf_front(c->in), buf_len(c->in), &q);

	if (status == 0)
		return;
	if (answer(c, status, &q) < 0) {
		end(c);
		return;
	}
	enter(c, CONN_WRITING, HTTP_PATIENCE);
	on_writable(c);
}

static void
on_readable(struct conn *c)
{
	char waste[READ_SIZE], *to = waste;
	size_t room = sizeof waste;

	if (c->state == CONN_READING)
		to = buf_room(c->in, READ_SIZE, &room);
	ssize_t n = to != NULL ? recv(c->fd, to, room, 0) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(c);
		return;
	}
	if (c->state != CONN_READING)
		return;
	buf_filled(c->in, (size_t)n);
	on_request(c);
}

static void
on_ready(struct ev_loop *loop, ev_io *w, int revents)
{
	struct conn *c = w->data;

	(void)loop;
	(void)revents;
	if (c->state == CONN_WRITING)
		on_writable(c);
	else
		on_readable(c);
}

static void
on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	end(w->data);
}

/* The oldest that still owes us its request, else the oldest. */
static void
evict(struct http *h)
{
	struct conn *c = TAILQ_FIRST(&h->conns);

	while (c != NULL && c->state != CONN_READING)
		c = TAILQ_NEXT(c, link);
	if (c == NULL)
		c = TAILQ_FIRST(&h->conns);
	if (c != NULL)
		end(c);
}

static void
on_came(void *ctx, int fd)
{
	struct http *h = ctx;
	struct conn *c = calloc(1, sizeof *c);

	if (c != NULL)
		c->in = buf_new(HTTP_HEAD_MAX);
	if (c == NULL || c->in == NULL) {
		free(c);
		close(fd);
		return;
	}
	if (h->count >= HTTP_CONNS)
		evict(h);
	c->http = h;
	c->fd = fd;
	ev_init(&c->ready, on_ready);
	ev_init(&c->limit, on_limit);
	c->ready.data = c->limit.data = c;
	TAILQ_INSERT_TAIL(&h->conns, c, link);
	h->count++;
	enter(c, CONN_READING, HTTP_PATIENCE);
}

/* Returns the socket, or -errno. */
static int
listen_on(const char *address)
{
	struct sockaddr_storage sa;
	socklen_t len = address_numeric(address, &sa);
	const int on = 1;

	if (len == 0)
		return -EINVAL;
	int fd =
	    socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)(const void *)&sa, len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	int why = -errno;
	close(fd);
	return why;
}

/* Which port the system has chosen. */
static void
tell(struct http *h)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof sa;
	char host[64] = "?", port[16] = "0";

	(void)getsockname(h->fd, (struct sockaddr *)(void *)&sa, &len);
	(void)getnameinfo((const struct sockaddr *)(const void *)&sa, len, host,
	    sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
	h->port = (unsigned)strtoul(port, NULL, 10);
	log_say(LOG_LEVEL_INFO, "http",
	    sa.ss_family == AF_INET6 ? "answering on http://[%s]:%s"
				     : "answering on http://%s:%s",
	    host, port);
}

struct http *
http_new(struct ev_loop *loop, const char *address, http_respond *respond,
    void *ctx, struct err *e)
{
	struct http *h = calloc(1, sizeof *h);

	if (h == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	h->fd = listen_on(address);
	if (h->fd < 0) {
		err_set(e, -h->fd, "http.listen: %s: %s", address,
		    strerror(-h->fd));
		free(h);
		return NULL;
	}
	TAILQ_INIT(&h->conns);
	h->loop = loop;
	h->respond = respond;
	h->ctx = ctx;
	door_open(&h->door, loop, h->fd, on_came, h);
	tell(h);
	return h;
}

void
http_free(struct http *h)
{
	struct conn *c, *next;

	if (h == NULL)
		return;
	for (c = TAILQ_FIRST(&h->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		end(c);
	}
	door_close(&h->door);
	close(h->fd);
	free(h);
}

unsigned
http_port(const struct http *h)
{
	return h->port;
}

size_t
http_conns(const struct http *h)
{
	return h->count;
}
