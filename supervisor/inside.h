/*
 * inside - the parts of a supervisor.
 *
 * For supervisor/supervisor.c, change.c, health.c, orders.c and overview.c
 * alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_INSIDE_H
#define SUPERVISOR_INSIDE_H

#include <ev.h>
#include <stdbool.h>

#include "base/buf.h"
#include "handlers/spawner.h"
#include "supervisor/client.h"
#include "supervisor/control_socket.h"
#include "supervisor/dispatch.h"
#include "supervisor/fetch.h"
#include "supervisor/heartbeat.h"
#include "supervisor/identity.h"
#include "supervisor/journal.h"
#include "supervisor/journald.h"
#include "supervisor/http.h"
#include "supervisor/lifecycle.h"
#include "supervisor/metrics.h"
#include "supervisor/notify.h"
#include "supervisor/orphans.h"
#include "supervisor/output_files.h"
#include "supervisor/report.h"
#include "supervisor/scratch.h"
#include "supervisor/supervisor.h"
#include "supervisor/upgrade.h"

struct orders;

struct supervisor {
	struct supervisor_parts given;
	int64_t began;          /* clock_mono() of our first program */
	uint64_t reading;       /* of the configuration; 1: the first */
	bool interrupted;       /* programs were stopped for our end */
	struct generation *now; /* held */
	struct ev_loop *loop;
	struct identity who;
	bool handing_over;     /* nothing is begun any more */
	bool reload_too;       /* when the upgrade is given up */
	bool introduce;        /* the server is to hear who we are once more: */
	ev_prepare turn;       /* active meanwhile */
	struct client *client; /* for report and heartbeat */
	struct spawner *spawner;
	struct scratch *scratch;
	struct output_files *files;
	struct journal *journal;   /* NULL: none */
	struct journald *journald; /* NULL: there is none here */
	struct report *report;
	struct heartbeat *heartbeat;
	struct dispatch *dispatch;
	struct fetch *fetch;
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

#endif
