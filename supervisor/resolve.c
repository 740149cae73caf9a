/*
 * resolve - one short-lived thread per question.
 *
 * The thread and the asker share the question; whoever lets go last frees it.
 * So a lookup that hangs delays nobody, not even the end of the process.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* getaddrinfo(3) loads modules that are used to more than a few pages. */
enum { STACK_SIZE = 256 * 1024 };

struct resolve {
	struct ev_loop *loop;
	resolve_done *done;
	void *ctx;
	ev_io answered;
	int wake; /* eventfd(2): written once there is an answer */

	char *host;
	char port[8];

	pthread_mutex_t lock; /* guards the next four */
	int holders;          /* of thread and asker */
	struct addrinfo *list;
	int error; /* of getaddrinfo(3) */
	int errnum;
};

/* The last holder frees. */
static void
let_go(struct resolve *r)
{
	pthread_mutex_lock(&r->lock);
	bool last = --r->holders == 0;
	pthread_mutex_unlock(&r->lock);

	if (!last)
		return;
	if (r->list != NULL)
		freeaddrinfo(r->list);
	pthread_mutex_destroy(&r->lock);
	close(r->wake);
	free(r->host);
	free(r);
}

static void
look_up(struct resolve *r, int flags)
{
	struct addrinfo want = { .ai_flags = AI_NUMERICSERV | flags,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	uint64_t one = 1;
	int error = getaddrinfo(r->host, r->port, &want, &list);
	int errnum = errno;

	pthread_mutex_lock(&r->lock);
	r->error = error;
	r->errnum = errnum;
	r->list = error == 0 ? list : NULL;
	pthread_mutex_unlock(&r->lock);
	/* The counter of a fresh eventfd cannot be full. */
	(void)!write(r->wake, &one, sizeof one);
}

static void *
ask(void *arg)
{
	struct resolve *r = arg;

	look_up(r, 0);
	let_go(r);
	return NULL;
}

static int
start_thread(struct resolve *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int error = pthread_attr_init(&attr);

	if (error != 0)
		return -error;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);

	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r->holders++;
	error = pthread_create(&thread, &attr, ask, r);
	if (error != 0)
		r->holders--;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -error;
}

static void
on_answer(struct ev_loop *loop, ev_io *w, int revents)
{
	struct resolve *r = w->data;

	(void)revents;
	ev_io_stop(loop, w);

	pthread_mutex_lock(&r->lock);
	struct addrinfo *list = r->list;
	const char *why = r->error == EAI_SYSTEM ? strerror(r->errnum)
						 : gai_strerror(r->error);
	r->list = NULL;
	pthread_mutex_unlock(&r->lock);

	r->done(r->ctx, list, why);
	let_go(r);
}

struct resolve *
resolve_start(struct ev_loop *loop, const char *host, uint16_t port,
    resolve_done *done, void *ctx)
{
	struct in6_addr numeric;
	struct resolve *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->done = done;
	r->ctx = ctx;
	r->holders = 1;
	r->host = strdup(host);
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(r->port, sizeof r->port, "%u", (unsigned)port);
	pthread_mutex_init(&r->lock, NULL);
	if (r->host == NULL || r->wake < 0)
		goto fail;

	if (inet_pton(AF_INET, host, &numeric) == 1 ||
	    inet_pton(AF_INET6, host, &numeric) == 1)
		look_up(r, AI_NUMERICHOST);
	else if (start_thread(r) < 0)
		goto fail;

	ev_io_init(&r->answered, on_answer, r->wake, EV_READ);
	r->answered.data = r;
	ev_io_start(loop, &r->answered);
	return r;

fail:
	pthread_mutex_destroy(&r->lock);
	if (r->wake >= 0)
		close(r->wake);
	free(r->host);
	free(r);
	return NULL;
}

void
resolve_cancel(struct resolve *r)
{
	if (r == NULL)
		return;
	ev_io_stop(r->loop, &r->answered);
	let_go(r);
}
