/*
 * upstream - one server: our conversations with it, and what it is owed.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/upstream.h"

#include <errno.h>

int
upstream_open(struct upstream *u, struct ev_loop *loop,
    const struct settings *settings, struct journal *journal,
    const struct upstream_hooks *hooks)
{
	u->client = client_new(
	    loop, &u->who, "report", LOG_LEVEL_ERROR, hooks->client, u);
	if (u->client == NULL)
		return -ENOMEM;
	u->report = report_new(
	    loop, u->who.shown, u->client, journal, hooks->settled, u);
	u->heartbeat = heartbeat_new(
	    loop, u->client, u->who.wid, settings->beat, hooks->heartbeat, u);
	u->fetch = fetch_new(loop, &u->who, settings, hooks->fetch, u);
	return u->report != NULL && u->heartbeat != NULL && u->fetch != NULL
	    ? 0
	    : -ENOMEM;
}

void
upstream_close(struct upstream *u)
{
	fetch_free(u->fetch);
	client_free(u->client);
	heartbeat_free(u->heartbeat);
	report_free(u->report);
}

size_t
upstream_wanted_elsewhere(
    const struct upstream *all, size_t n, const struct upstream *than)
{
	size_t wanted = 0;

	for (size_t i = 0; i < n; i++)
		if (&all[i] != than)
			wanted += fetch_wanted(all[i].fetch);
	return wanted;
}

void
upstream_end(struct upstream *u)
{
	fetch_end(u->fetch);
	client_end(u->client);
}

struct upstream_totals
upstream_total(const struct upstream *all, size_t n)
{
	struct upstream_totals t = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct report_counts c = report_counts(all[i].report);

		t.told.acked += c.acked;
		t.told.failed += c.failed;
		t.told.buried += c.buried;
		t.told.unknown += c.unknown;
		t.told.dropped += c.dropped;
		t.told.pushes += c.pushes;
		t.told.pushes_refused += c.pushes_refused;
		t.told.released += c.released;
		t.told.copied += c.copied;
		t.waiting += report_waiting(all[i].report);
		t.sent += report_sent(all[i].report);
		t.in_flight += fetch_in_flight(all[i].fetch);
		t.asked += fetch_asked(all[i].fetch);
	}
	return t;
}
