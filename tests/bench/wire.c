/*
 * wire - see wire.h.
 *
 * SPDX-License-Identifier: ISC
 */
#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void
fail(const char *fmt, ...)
{
	va_list ap;

	fputs("load: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *
must(void *memory)
{
	if (memory == NULL)
		fail("out of memory");
	return memory;
}

static void
watch_out(struct wire *w, bool on)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = w };

	if (w->wants_out == on)
		return;
	if (on)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->fd, &ev) < 0)
		fail("epoll_ctl: %s", strerror(errno));
	w->wants_out = on;
}

/* Sends what is left of the request, as far as the socket takes it. */
static void
flush(struct wire *w)
{
	while (w->out_done < w->out_len) {
		ssize_t n = send(w->fd, w->out + w->out_done,
		    w->out_len - w->out_done, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			watch_out(w, true);
			return;
		}
		if (n < 0 && errno != EINTR)
			fail("connection %u: send: %s", w->id, strerror(errno));
		if (n > 0)
			w->out_done += (size_t)n;
	}
	watch_out(w, false);
}

void
wire_send(struct wire *w, size_t len)
{
	if (len > w->out_max)
		fail("connection %u: request too long", w->id);
	w->out_len = len;
	w->out_done = 0;
	flush(w);
}

void
wire_ask(struct wire *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->out, w->out_max, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 2 > w->out_max)
		fail("connection %u: request too long", w->id);
	memcpy(w->out + n, "\r\n", 2);
	wire_send(w, (size_t)n + 2);
}

/* Where a bulk reply ends whose header is header bytes long. */
static size_t
bulk_end(const struct wire *w, size_t header)
{
	long size = strtol(w->in + 1, NULL, 10);

	if (size < 0)
		fail("connection %u: no job where one was due", w->id);
	if (size > WIRE_IN_BYTES)
		fail("connection %u: reply of %ld bytes", w->id, size);
	return header + (size_t)size + 2;
}

/* The one reply in w->in; behind it there must be nothing. */
static struct reply
cut_reply(const struct wire *w)
{
	struct reply r = { REPLY_PART, NULL, 0 };
	const char *eol = memmem(w->in, w->in_len, "\r\n", 2);
	size_t header, whole;
	bool bulk;

	if (eol == NULL)
		return r;
	header = (size_t)(eol - w->in) + 2;
	bulk = w->in[0] == '$';
	whole = bulk ? bulk_end(w, header) : header;
	if (w->in_len < whole)
		return r;
	if (w->in_len > whole)
		fail("connection %u: more than one reply", w->id);
	r.kind = bulk         ? REPLY_BULK
	    : w->in[0] == '+' ? REPLY_SIMPLE
			      : REPLY_ERROR;
	r.text = w->in + (bulk ? header : 1);
	r.len = whole - 2 - (bulk ? header : 1);
	return r;
}

/* False until the reply is whole, or when there was nothing to read. */
static bool
take_reply(struct wire *w, struct reply *r)
{
	ssize_t n =
	    recv(w->fd, w->in + w->in_len, WIRE_IN_BYTES - w->in_len, 0);

	if (n < 0 && errno == EINTR)
		return false;
	if (n < 0)
		fail("connection %u: recv: %s", w->id, strerror(errno));
	if (n == 0)
		fail("connection %u: closed by the server", w->id);
	w->in_len += (size_t)n;
	*r = cut_reply(w);
	if (r->kind == REPLY_PART) {
		if (w->in_len == WIRE_IN_BYTES)
			fail("connection %u: reply too long", w->id);
		return false;
	}
	w->in_len = 0;
	return true;
}

bool
wire_event(struct wire *w, uint32_t events, struct reply *r)
{
	if (events & EPOLLOUT)
		flush(w);
	return (events & ~(uint32_t)EPOLLOUT) != 0 && take_reply(w, r);
}

void
wire_expect_ok(const struct wire *w, const struct reply *r)
{
	if (r->kind != REPLY_SIMPLE || r->len != 2 || memcmp(r->text, "OK", 2))
		fail("connection %u: +OK was due, not %.*s", w->id, (int)r->len,
		    r->text);
}

void
wire_expect_bulk(const struct wire *w, const struct reply *r)
{
	if (r->kind != REPLY_BULK)
		fail("connection %u: a bulk reply was due, not %.*s", w->id,
		    (int)r->len, r->text);
}

/* While the socket still blocks: HI, HELLO, OK. */
static void
shake_hands(struct wire *w, const char *wid)
{
	struct reply r;

	while (!take_reply(w, &r))
		;
	if (r.len < 3 || memcmp(r.text, "HI ", 3) != 0)
		fail("connection %u: HI was due, not %.*s", w->id, (int)r.len,
		    r.text);
	wire_ask(w,
	    "HELLO {\"v\":2,\"hostname\":\"bench\",\"pid\":%d,\"wid\":\"%s\","
	    "\"labels\":[\"bench\"]}",
	    (int)getpid(), wid);
	while (!take_reply(w, &r))
		;
	wire_expect_ok(w, &r);
}

void
wire_dial(
    struct wire *w, int epoll, unsigned port, const char *wid, size_t out_max)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = WIRE_SILENCE_MS / 1000 };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = w };
	int on = 1;

	w->epoll = epoll;
	w->out_max = out_max;
	w->out = must(malloc(out_max));
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&to, sizeof to) < 0)
		fail("127.0.0.1:%u: %s", port, strerror(errno));
	if (setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
	    setsockopt(
		w->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
		fail("connection %u: setsockopt: %s", w->id, strerror(errno));
	shake_hands(w, wid);
	if (fcntl(w->fd, F_SETFL, O_NONBLOCK) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, w->fd, &ev) < 0)
		fail("connection %u: %s", w->id, strerror(errno));
}

void
wire_close(struct wire *w)
{
	close(w->fd);
	free(w->out);
}
