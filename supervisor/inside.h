/*
 * inside - the parts of a supervisor.
 *
 * For supervisor/supervisor.c, change.c, choice.c, health.c, holdings.c,
 * orders.c, overview.c and upstream_events.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_INSIDE_H
#define SUPERVISOR_INSIDE_H

#include <ev.h>
#include <stdbool.h>

#include "base/buf.h"
#include "handlers/spawner.h"
#include "supervisor/choice.h"
#include "supervisor/control_socket.h"
#include "supervisor/credential.h"
#include "supervisor/dispatch.h"
#include "supervisor/journal.h"
#include "supervisor/journald.h"
#include "supervisor/http.h"
#include "supervisor/lifecycle.h"
#include "supervisor/metrics.h"
#include "supervisor/notify.h"
#include "supervisor/orphans.h"
#include "supervisor/output_files.h"
#include "supervisor/scratch.h"
#include "supervisor/supervisor.h"
#include "supervisor/upgrade.h"
#include "supervisor/upstream.h"

struct orders;

struct supervisor {
	struct supervisor_parts given;
	int64_t began;          /* clock_mono() of our first program */
	uint64_t reading;       /* of the configuration; 1: the first */
	bool interrupted;       /* programs were stopped for our end */
	struct generation *now; /* held */
	struct ev_loop *loop;
	bool handing_over; /* nothing is begun any more */
	bool reload_too;   /* when the upgrade is given up */
	bool introduce;    /* the server is to hear who we are once more: */
	ev_prepare turn;   /* active meanwhile */
	struct upstream upstreams[SETTINGS_SERVERS_MAX];
	size_t nupstreams;
	struct upstream *current; /* jobs are fetched from it */
	struct choice choice;
	struct credential *credential;                /* for all of them */
	struct report *reports[SETTINGS_SERVERS_MAX]; /* theirs */
	struct spawner *spawner;
	struct scratch *scratch;
	struct output_files *files;
	struct journal *journal;   /* NULL: none */
	struct journald *journald; /* NULL: there is none here */
	struct dispatch *dispatch;
	struct kin *kin;
	struct cgroups *cgroups; /* NULL: programs have none */
	struct orphans *orphans;
	struct notify *notify;
	struct lifecycle *lifecycle;
	struct metrics *metrics;
	struct http *http; /* NULL: not wanted */
	struct control_socket socket;
	struct orders *orders;   /* NULL: none are taken */
	struct buf *secrets;     /* for the check of an upgrade */
	struct upgrade *upgrade; /* NULL: switched off */
};

/* A slot is free, or an outcome has been confirmed: who waits for that looks. */
void supervisor_progress(struct supervisor *s);

#endif
