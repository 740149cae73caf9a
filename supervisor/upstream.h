/*
 * upstream - one server: our conversations with it, and what it is owed.
 *
 * There is one for each URL of `server:`, with the same wid. What is said
 * over the wire, and what answers mean, is for its parts; which upstream jobs
 * are fetched from is for supervisor/choice.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_UPSTREAM_H
#define SUPERVISOR_UPSTREAM_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/settings.h"
#include "supervisor/client.h"
#include "supervisor/fetch.h"
#include "supervisor/heartbeat.h"
#include "supervisor/identity.h"
#include "supervisor/journal.h"
#include "supervisor/report.h"

struct supervisor;

struct upstream {
	size_t number; /* its place in the list; 0 is tried first */
	struct supervisor *owner;
	struct identity who;
	struct client *client; /* for report and heartbeat */
	struct report *report;
	struct heartbeat *heartbeat;
	struct fetch *fetch;
	bool was_up; /* since it was dialled last; for choice */
};

/* ctx of each hook is the upstream. */
struct upstream_hooks {
	const struct client_hooks *client;
	const struct heartbeat_hooks *heartbeat;
	const struct fetch_hooks *fetch;
	void (*settled)(void *ctx); /* report: one outcome less */
};

/*
 * Makes the parts; number, owner and who are set. journal NULL: none. Returns
 * 0 or -ENOMEM; upstream_close() either way.
 */
int upstream_open(struct upstream *u, struct ev_loop *loop,
    const struct settings *settings, struct journal *journal,
    const struct upstream_hooks *hooks);

void upstream_close(struct upstream *u);

/* Of all of them together. */
struct upstream_totals {
	struct report_counts told;
	size_t
	    waiting; /* outcomes not confirmed; sent: of them, on their way */
	size_t sent;
	size_t in_flight; /* FETCHes not answered */
	uint64_t asked;   /* FETCHes */
};

struct upstream_totals upstream_total(const struct upstream *all, size_t n);

/* Jobs that questions to all the others may still bring. */
size_t upstream_wanted_elsewhere(
    const struct upstream *all, size_t n, const struct upstream *than);

/* Says END wherever that is possible without waiting, and rests. */
void upstream_end(struct upstream *u);

#endif
