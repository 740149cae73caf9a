/*
 * scripted_peer - the server's side of a conversation, word by word.
 *
 * For the unit tests of supervisor/. A thread listens on loopback and carries
 * out a script, line by line:
 *
 *	accept       the next connection, which replaces the one before
 *	also         the next connection, beside the one before
 *	swap         go on with the other one of the two
 *	greet        HI without a password, HELLO, OK
 *	< text       read a line; it must begin with text
 *	> text       send text and CRLF
 *	>> text      send text as it is
 *	ended        the other side must have closed
 *	close        hang up
 *	wait         until peer_go()
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_UNIT_SCRIPTED_PEER_H
#define TESTS_UNIT_SCRIPTED_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/identity.h"

enum { PEER_SECONDS = 60 };

struct peer {
	const char *const *script; /* NULL-terminated */
	int listener;
	int fd; /* -1 without a conversation */
	int other;
	sem_t go;
	pthread_t thread;
	char fault[1024]; /* "" when all went as written */
	struct url url;
	struct identity who;
};

/* The one whose fault explains why nothing comes. */
static struct peer *peer_now;

static void
peer_limit(int fd)
{
	struct timeval limit = { .tv_sec = PEER_SECONDS };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

/* As read(2) of one byte. */
static ssize_t
peer_byte(struct peer *p, char *c)
{
	ssize_t n;

	do
		n = read(p->fd, c, 1);
	while (n < 0 && errno == EINTR);
	return n;
}

/* One line without its end; "" at the end of the conversation. */
static void
peer_read(struct peer *p, char *line, size_t cap)
{
	size_t n = 0;
	char c;

	while (peer_byte(p, &c) == 1 && c != '\n')
		if (c != '\r' && n + 1 < cap)
			line[n++] = c;
	line[n] = '\0';
}

static void
peer_send(struct peer *p, const char *text, const char *end)
{
	char all[4096];
	int n = snprintf(all, sizeof all, "%s%s", text, end);

	(void)!send(p->fd, all, (size_t)n, MSG_NOSIGNAL);
}

static bool
peer_expect(struct peer *p, const char *want)
{
	char line[4096];

	peer_read(p, line, sizeof line);
	if (strncmp(line, want, strlen(want)) == 0)
		return true;
	snprintf(p->fault, sizeof p->fault, "expected \"%s\", got \"%.400s\"",
	    want, line);
	return false;
}

static bool
peer_step(struct peer *p, const char *step)
{
	char c;

	if (strcmp(step, "swap") == 0 || strcmp(step, "also") == 0) {
		int now = p->fd;

		p->fd = p->other;
		p->other = now;
		if (strcmp(step, "swap") == 0)
			return true;
	}
	if (strcmp(step, "accept") == 0 || strcmp(step, "also") == 0) {
		if (p->fd >= 0)
			close(p->fd);
		do
			p->fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
		while (p->fd < 0 && errno == EINTR);
		peer_limit(p->fd);
		return p->fd >= 0;
	}
	if (strcmp(step, "greet") == 0) {
		peer_send(p, "+HI {\"v\":2}", "\r\n");
		bool said = peer_expect(p, "HELLO {");
		peer_send(p, "+OK", "\r\n");
		return said;
	}
	if (strncmp(step, "< ", 2) == 0)
		return peer_expect(p, step + 2);
	if (strncmp(step, "> ", 2) == 0) {
		peer_send(p, step + 2, "\r\n");
		return true;
	}
	if (strncmp(step, ">> ", 3) == 0) {
		peer_send(p, step + 3, "");
		return true;
	}
	if (strcmp(step, "ended") == 0)
		return peer_byte(p, &c) == 0;
	if (strcmp(step, "close") == 0) {
		close(p->fd);
		p->fd = -1;
		return true;
	}
	if (strcmp(step, "wait") != 0)
		return false;
	while (sem_wait(&p->go) < 0 && errno == EINTR)
		;
	return true;
}

static void *
peer_work(void *arg)
{
	struct peer *p = arg;

	for (size_t i = 0; p->script[i] != NULL; i++) {
		if (peer_step(p, p->script[i]))
			continue;
		if (p->fault[0] == '\0')
			snprintf(p->fault, sizeof p->fault, "\"%s\" failed",
			    p->script[i]);
		break;
	}
	return NULL;
}

/* Also fills p->who, for those who are to speak with it. */
static void
peer_start(struct peer *p, const char *const *script)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	memset(p, 0, sizeof *p);
	peer_now = p;
	p->script = script;
	p->fd = p->other = -1;
	sem_init(&p->go, 0, 0);
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->listener >= 0);
	assert_int_equal(
	    bind(p->listener, (struct sockaddr *)(void *)&at, len), 0);
	assert_int_equal(listen(p->listener, 8), 0);
	assert_int_equal(
	    getsockname(p->listener, (struct sockaddr *)(void *)&at, &len), 0);
	peer_limit(p->listener);

	snprintf(p->url.host, sizeof p->url.host, "127.0.0.1");
	p->url.port = ntohs(at.sin_port);
	assert_int_equal(
	    identity_make(&p->who, &p->url, NULL, NULL, 0, NULL), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_work, p), 0);
}

static inline void
peer_go(struct peer *p)
{
	sem_post(&p->go);
}

/* The script must have been carried out to its end. */
static void
peer_finish(struct peer *p)
{
	pthread_join(p->thread, NULL);
	if (p->fd >= 0)
		close(p->fd);
	if (p->other >= 0)
		close(p->other);
	close(p->listener);
	sem_destroy(&p->go);
	assert_string_equal(p->fault, "");
}

static void
peer_alarm(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	*(bool *)w->data = true;
}

/* Turns the loop until *done; fails the test after PEER_SECONDS. */
static void
turn_until(struct ev_loop *loop, const bool *done)
{
	bool late = false;
	ev_timer limit;

	ev_timer_init(&limit, peer_alarm, PEER_SECONDS, 0.);
	limit.data = &late;
	ev_now_update(loop);
	ev_timer_start(loop, &limit);
	while (!*done && !late)
		ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &limit);
	if (late)
		fail_msg("gave up waiting; the peer: %s", peer_now->fault);
}

#endif
