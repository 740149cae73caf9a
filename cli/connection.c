/*
 * connection - a conversation with the server for verbs that ask and leave.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "protocol/command.h"
#include "protocol/hello.h"
#include "protocol/stream.h"

enum {
	OUT_MAX = 80 * 1024 * 1024, /* a PUSHB with one job of 64 MiB fits */
	IN_MAX = 64 * 1024 * 1024,
	BULK_MAX = IN_MAX - RESP_LINE_MAX,
	READ_CHUNK = 64 * 1024,
};

struct connection {
	struct stream *stream; /* owned; NULL until it is reached */
	int64_t timeout;       /* ns */
	bool broken;           /* no reply can be trusted any more */
	bool secure;           /* in TLS */
	bool greeted;          /* the server has said HI */
	size_t answered; /* bytes of the last reply, still at the front of in */
	struct buf *in;
	struct buf *out;
	char shown[URL_SHOWN_MAX];
};

static const char *
lookup(const char *name)
{
	return getenv(name);
}

int
connection_server(const char *text, struct url *u, struct err *e)
{
	return text != NULL ? url_parse(text, u, e)
			    : url_from_environment(lookup, u, e);
}

/* Waits until fd is ready. 0, or -ETIMEDOUT after the moment `until`. */
static int
wait_ready(int fd, short events, int64_t until)
{
	for (;;) {
		int64_t left = until - clock_mono();
		struct pollfd p = { .fd = fd, .events = events };

		if (left <= 0)
			return -ETIMEDOUT;
		/* Rounded up: a wait of nothing would spin. */
		int n = poll(&p, 1,
		    (int)((left + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* Returns a connected descriptor or a negative errno. */
static int
dial(const struct addrinfo *a, int64_t timeout)
{
	int one = 1, error = 0;
	socklen_t size = sizeof error;
	int fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno != EINPROGRESS)
		error = errno;
	else
		error = -wait_ready(fd, POLLOUT, clock_mono() + timeout);
	if (error == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

static int
dial_any(const struct url *u, int64_t timeout, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char port[8];
	int fd = -EHOSTUNREACH;

	(void)snprintf(port, sizeof port, "%u", u->port);
	int r = getaddrinfo(u->host, port, &hints, &found);
	if (r != 0)
		return err_set(e, EHOSTUNREACH, "%s", gai_strerror(r));
	for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
		fd = dial(a, timeout);
	freeaddrinfo(found);
	if (fd < 0)
		return err_set(e, -fd, "%s", strerror(-fd));
	return fd;
}

static int
lose(struct connection *c, int code, const char *why, struct err *e)
{
	c->broken = true;
	return err_set(e, code, "%s: %s", c->shown, why);
}

/* Waits for what the stream waits for; else says `why` when it is too late. */
static int
wait_stream(struct connection *c, bool reading, int64_t until, const char *why,
    struct err *e)
{
	int wants = stream_events(c->stream, reading, !reading);
	int r = wait_ready(stream_fd(c->stream),
	    wants == STREAM_WRITABLE ? POLLOUT : POLLIN, until);

	if (r == -ETIMEDOUT)
		return lose(c, ETIMEDOUT, why, e);
	return r < 0 ? lose(c, -r, strerror(-r), e) : 0;
}

static int
send_out(struct connection *c, int64_t until, struct err *e)
{
	while (buf_len(c->out) > 0) {
		struct err why;
		ssize_t n = stream_write(
		    c->stream, buf_front(c->out), buf_len(c->out), &why);

		if (n >= 0)
			buf_drop(c->out, (size_t)n);
		else if (n != -EAGAIN)
			return lose(c, why.code, why.text, e);
		else if (wait_stream(c, false, until,
			     "the server takes nothing", e) < 0)
			return -e->code;
	}
	return 0;
}

/* What is said when there is no more to read, or nothing in time. */
static const char *
ended(const struct connection *c)
{
	return c->greeted || c->secure ? "the server closed the connection"
				       : "the server closed the connection "
					 "before its greeting; does it want "
					 "TLS (tcp+tls://)?";
}

static const char *
silent(const struct connection *c)
{
	return c->greeted || c->secure
	    ? "no answer in time"
	    : "no greeting in time; does the server want TLS (tcp+tls://)?";
}

/* Reads some bytes. 0, or negative with *e set. */
static int
read_more(struct connection *c, int64_t until, struct err *e)
{
	size_t room;
	char *at = buf_room(c->in, READ_CHUNK, &room);

	if (at == NULL)
		return lose(c, ENOBUFS, "the reply is too long", e);
	for (;;) {
		struct err why;
		ssize_t n = stream_read(c->stream, at, room, &why);

		if (n > 0) {
			buf_filled(c->in, (size_t)n);
			return 0;
		}
		if (n == 0)
			return lose(c, ECONNRESET, ended(c), e);
		if (n != -EAGAIN)
			return lose(c, why.code, why.text, e);
		if (wait_stream(c, true, until, silent(c), e) < 0)
			return -e->code;
	}
}

static int
read_reply(
    struct connection *c, int64_t until, struct resp *reply, struct err *e)
{
	buf_drop(c->in, c->answered);
	c->answered = 0;
	for (;;) {
		switch (resp_decode(
		    buf_front(c->in), buf_len(c->in), BULK_MAX, reply)) {
		case RESP_OK:
			c->answered = reply->size;
			return 0;
		case RESP_MORE:
			break;
		case RESP_BAD:
			return lose(c, EPROTO,
			    "what answers there is not a Faktory server", e);
		case RESP_HUGE:
			return lose(c, EMSGSIZE, "the reply is too long", e);
		}
		if (read_more(c, until, e) < 0)
			return -e->code;
	}
}

static int
refused(struct connection *c, const struct resp *reply, struct err *e)
{
	int code = EPROTO;

	if (reply->kind == RESP_ERROR &&
	    memmem(reply->text, reply->len, "Invalid password", 16) != NULL)
		code = EACCES;
	c->broken = true;
	return err_set(e, code, "%s: HELLO: %.*s", c->shown,
	    (int)(reply->len > 200 ? 200 : reply->len),
	    reply->text != NULL ? reply->text : "");
}

static int
shake_hands(struct connection *c, const struct url *u, struct err *e)
{
	int64_t until = clock_mono() + c->timeout;
	char host[256] = "";
	char user[URL_PART_MAX + 1];
	struct greeting g;
	struct resp reply;

	if (read_reply(c, until, &reply, e) < 0)
		return -e->code;
	if (reply.kind != RESP_SIMPLE)
		return refused(c, &reply, e);
	if (greeting_parse(reply.text, reply.len, &g, e) < 0)
		return err_wrap(e, "%s", c->shown);

	c->greeted = true;
	(void)gethostname(host, sizeof host - 1);
	(void)snprintf(user, sizeof user, "%s", u->user);
	struct hello h = {
		.version = HELLO_VERSION,
		.hostname = host,
		.username = user[0] != '\0' ? user : NULL,
		.pid = getpid(),
	};
	int r = hello_put(c->out, &h, &g, u->has_password ? u->password : NULL);
	if (r < 0)
		return lose(c, -r, strerror(-r), e);
	if (send_out(c, until, e) < 0 || read_reply(c, until, &reply, e) < 0)
		return -e->code;
	if (reply.kind != RESP_SIMPLE)
		return refused(c, &reply, e);
	return 0;
}

/* A socket to a stream, in TLS if the URL wants that. Takes fd. */
static int
secure(struct connection *c, int fd, const struct url *u, struct tls *tls,
    struct err *e)
{
	int64_t until = clock_mono() + c->timeout;
	const struct tls_plan system = { 0 };
	struct tls *with = u->tls && tls == NULL ? tls_client(&system, NULL, e)
						 : tls_hold(tls);
	struct err why = *e;
	int r = -EAGAIN;

	c->secure = u->tls;
	if (u->tls && with == NULL)
		close(fd);
	else
		c->stream = u->tls ? stream_client(fd, with, u->host, &why)
				   : stream_plain(fd, &why);
	tls_drop(with);
	if (c->stream == NULL)
		return lose(c, why.code, why.text, e);
	while (r == -EAGAIN) {
		r = stream_shake(c->stream, &why);
		if (r == -EAGAIN &&
		    wait_stream(c, true, until, "no TLS handshake in time", e) <
			0)
			return -e->code;
	}
	return r < 0 ? lose(c, why.code, why.text, e) : 0;
}

struct connection *
connection_open(
    const struct url *u, struct tls *tls, int64_t timeout, struct err *e)
{
	struct connection *c = calloc(1, sizeof *c);

	if (c == NULL) {
		(void)err_set(e, ENOMEM, "memory is short");
		return NULL;
	}
	url_show(u, c->shown);
	c->timeout = timeout;
	c->in = buf_new(IN_MAX);
	c->out = buf_new(OUT_MAX);
	if (c->in == NULL || c->out == NULL) {
		(void)err_set(e, ENOMEM, "memory is short");
		goto fail;
	}
	int fd = dial_any(u, timeout, e);
	if (fd < 0) {
		(void)err_wrap(e, "%s", c->shown);
		goto fail;
	}
	if (secure(c, fd, u, tls, e) < 0 || shake_hands(c, u, e) < 0)
		goto fail;
	return c;

fail:
	c->broken = true;
	connection_close(c);
	return NULL;
}

int
connection_ask(struct connection *c, const char *verb, const char *arg,
    size_t len, struct resp *reply, struct err *e)
{
	int64_t until = clock_mono() + c->timeout;

	if (c->broken)
		return err_set(e, ENOTCONN, "%s: not connected", c->shown);
	int r = command_put(c->out, verb, arg, len);
	if (r < 0)
		return lose(c, -r, strerror(-r), e);
	if (send_out(c, until, e) < 0)
		return -e->code;
	return read_reply(c, until, reply, e);
}

void
connection_close(struct connection *c)
{
	if (c == NULL)
		return;
	struct err e;

	if (!c->broken)
		(void)stream_write(c->stream, "END\r\n", 5, &e);
	stream_close(c->stream);
	buf_free(c->in);
	buf_free(c->out);
	free(c);
}
