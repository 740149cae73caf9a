/*
 * web_inside - what web is made of.
 *
 * For server/web/web.c and server/web/answer.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_WEB_INSIDE_H
#define SERVER_WEB_INSIDE_H

#include <ev.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "server/web/web.h"

/* It was int before 0.9.71. */
#if MHD_VERSION >= 0x00097002
typedef enum MHD_Result mhd_result;
#else
typedef int mhd_result;
#endif

/*
 * The library's daemon. It takes a certificate only when it begins: with a new
 * one another takes its place, and it goes when its last answer is out.
 */
struct house {
	struct web *web;
	struct MHD_Daemon *daemon;
	ev_io ready;   /* the library's epoll descriptor */
	ev_timer soon; /* what it cannot wait for the descriptor with */
	size_t npeers;
};

struct peer {
	struct web *web;
	struct house *house;
	int fd;            /* the library's */
	bool answering;    /* a request is here whole */
	bool over;         /* shut down; the library has yet to find out */
	size_t held;       /* bytes of its answer */
	ev_timer patience; /* from one answer to the next */
	TAILQ_ENTRY(peer) link;
	char name[64]; /* for the log */
};

struct web {
	struct server *server;
	struct ev_loop *loop;
	struct listener *listener;
	struct house *now;
	struct house *before; /* with answers that are not out; or NULL */
	TAILQ_HEAD(peers, peer) peers; /* idle for longest first */
	size_t npeers;
	size_t held;
	const char *arriving; /* the peer that is being handed over */
	int64_t last_refusal; /* mono; when a wrong password was logged */
};

/* Whose connection that is; NULL: memory was short when it came. */
struct peer *web_peer(struct MHD_Connection *c);

/*
 * An MHD_AccessHandlerCallback: called with a request's head, then with each
 * piece of its body, then at its end. What comes as a body is passed over.
 */
mhd_result web_answer(void *ctx, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *bytes, size_t *len,
    void **request);

#endif
