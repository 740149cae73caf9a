/*
 * listener - one listening socket; when descriptors run out it rests.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { BACKLOG = 1024, TURN_ACCEPTS = 64, SHOWN_MAX = 80 };

/* How long to leave the queue alone after EMFILE; seconds. */
#define REST 0.5

struct listener {
	struct ev_loop *loop;
	int fd;
	ev_io knock;
	ev_timer rest;
	listener_accept *accept;
	void *ctx;
	uint16_t port;
	char address[SHOWN_MAX];
};

/* Half-open peers are found out within about two minutes. */
static void
set_options(int fd)
{
	const int on = 1, idle = 60, interval = 15, probes = 4;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static void
show(const struct sockaddr_storage *sa, socklen_t len, char *out, size_t cap,
    uint16_t *port)
{
	char host[64] = "?", serv[16] = "0";

	(void)getnameinfo((const struct sockaddr *)(const void *)sa, len, host,
	    sizeof host, serv, sizeof serv, NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(out, cap, sa->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
	    host, serv);
	if (port != NULL)
		*port = (uint16_t)strtoul(serv, NULL, 10);
}

static void
on_knock(struct ev_loop *loop, ev_io *w, int revents)
{
	struct listener *l = w->data;

	(void)revents;
	for (int n = 0; n < TURN_ACCEPTS; n++) {
		struct sockaddr_storage sa = { 0 };
		socklen_t len = sizeof sa;
		char peer[SHOWN_MAX];
		int fd = accept4(l->fd, (struct sockaddr *)(void *)&sa, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
			log_say(LOG_LEVEL_ERROR, l->address,
			    "no descriptor left for another connection");
			ev_io_stop(loop, &l->knock);
			ev_timer_set(&l->rest, REST, 0.);
			ev_timer_start(loop, &l->rest);
			return;
		}
		if (fd < 0 && errno == ECONNABORTED)
			continue;
		if (fd < 0)
			return;
		set_options(fd);
		show(&sa, len, peer, sizeof peer, NULL);
		l->accept(l->ctx, fd, peer);
	}
}

static void
on_rested(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct listener *l = w->data;

	(void)revents;
	ev_io_start(loop, &l->knock);
}

/* "host:port" or "[v6]:port" into its two parts. */
static int
split(const char *address, char *host, size_t cap, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (colon == NULL || colon[1] == '\0')
		return -EINVAL;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	} else if (memchr(address, ':', len) != NULL) {
		return -EINVAL;
	}
	if (len >= cap)
		return -EINVAL;
	memcpy(host, address, len);
	host[len] = '\0';
	*port = colon + 1;
	return 0;
}

static int
bind_first(const struct addrinfo *ai)
{
	const int on = 1;
	int fd, saved = EADDRNOTAVAIL;

	for (; ai != NULL; ai = ai->ai_next) {
		fd = socket(ai->ai_family,
		    ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    ai->ai_protocol);
		if (fd < 0) {
			saved = errno;
			continue;
		}
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
		    listen(fd, BACKLOG) == 0)
			return fd;
		saved = errno;
		close(fd);
	}
	return -saved;
}

static int
open_socket(const char *address, struct err *e)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_ADDRCONFIG,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;
	char host[256];
	const char *port;
	int r;

	if (split(address, host, sizeof host, &port) < 0)
		return err_set(e, EINVAL,
		    "listen: \"%s\" is not an address, expected host:port",
		    address);
	r = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (r != 0)
		return err_set(e, EADDRNOTAVAIL, "listen %s: %s", address,
		    gai_strerror(r));
	r = bind_first(found);
	freeaddrinfo(found);
	if (r < 0)
		return err_set(e, -r, "listen %s: %s", address, strerror(-r));
	return r;
}

struct listener *
listener_adopt(struct ev_loop *loop, int fd, listener_accept *accept, void *ctx,
    struct err *e)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof sa;
	struct listener *l = calloc(1, sizeof *l);

	if (l == NULL) {
		close(fd);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	l->loop = loop;
	l->accept = accept;
	l->ctx = ctx;
	l->fd = fd;
	if (getsockname(l->fd, (struct sockaddr *)(void *)&sa, &len) == 0)
		show(&sa, len, l->address, sizeof l->address, &l->port);
	ev_io_init(&l->knock, on_knock, l->fd, EV_READ);
	l->knock.data = l;
	ev_timer_init(&l->rest, on_rested, 0., 0.);
	l->rest.data = l;
	ev_io_start(loop, &l->knock);
	return l;
}

struct listener *
listener_open(struct ev_loop *loop, const char *address,
    listener_accept *accept, void *ctx, struct err *e)
{
	int fd = open_socket(address, e);

	return fd < 0 ? NULL : listener_adopt(loop, fd, accept, ctx, e);
}

const char *
listener_address(const struct listener *l)
{
	return l->address;
}

uint16_t
listener_port(const struct listener *l)
{
	return l->port;
}

void
listener_close(struct listener *l)
{
	if (l == NULL)
		return;
	ev_io_stop(l->loop, &l->knock);
	ev_timer_stop(l->loop, &l->rest);
	close(l->fd);
	free(l);
}
