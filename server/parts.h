/*
 * parts - what a server is made of, for the files of this folder.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_PARTS_H
#define SERVER_PARTS_H

#include <stdbool.h>

#include "server/catalogue.h"
#include "server/conn.h"
#include "server/counters.h"
#include "server/fetches.h"
#include "server/health.h"
#include "server/jobs.h"
#include "server/notify.h"
#include "server/queues.h"
#include "server/room.h"
#include "server/server.h"
#include "server/workers.h"

struct server {
	struct ev_loop *loop;
	struct server_settings *settings; /* borrowed */
	struct tls *tls;                  /* held; NULL: plain text */
	struct store *store;
	struct queues *queues;
	struct counters *counters;
	struct jobs *jobs;
	struct fetches *fetches;
	struct workers *workers;
	struct listener *listener;
	struct notify *notify;
	struct health *health; /* NULL, as the next: nobody asks */
	struct web *web;

	/* Connections: all, and those with something to do this turn. */
	struct conn *conns;
	size_t nconns;
	struct conn *dirty, *dirty_last;
	size_t buffered;     /* unread bytes over all connections */
	struct buf *scratch; /* for composing one reply */
	uint64_t commands;   /* served since the start */
	uint64_t refused;    /* connections, for want of room */
	uint64_t stalled;    /* connections closed: they took no answer */
	struct room room;
	struct catalogue *catalogue; /* owned */
	int64_t started;             /* wall clock */
	int64_t began;               /* the same, clock_mono() */

	ev_prepare turn; /* the end of a turn: answers out, batch to disk */
	ev_idle again;   /* active while another turn must come at once */
	ev_timer last_call;
	bool stopping;

	int64_t last_trouble; /* mono; when store trouble was last logged */
	uint64_t troubles;    /* since then, not logged */
};

#endif
