/*
 * health - three pages.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/http.h"
#include "supervisor/inside.h"
#include "supervisor/joblist.h"
#include "supervisor/metrics.h"

const char *
health_quiet(const struct supervisor *s)
{
	unsigned by = lifecycle_quiet_by(s->lifecycle);

	if (lifecycle_phase(s->lifecycle) > LIFECYCLE_QUIET || by == 0)
		return NULL;
	if (by & QUIET_TO_THE_END)
		return "draining, asked by the operator: no more jobs are "
		       "fetched";
	if (by == (QUIET_BY_OPERATOR | QUIET_BY_SERVER))
		return "quiet, asked by the operator and by the server: no "
		       "more jobs are fetched";
	return by & QUIET_BY_SERVER
	    ? "quiet, asked by the server: no more jobs are fetched"
	    : "quiet, asked by the operator: no more jobs are fetched";
}

static bool
serves_a_queue(const struct supervisor *s)
{
	const struct settings *now = s->now->settings;

	for (size_t i = 0; i < now->nqueues; i++)
		if (dispatch_serves(s->dispatch, now->queues[i].name))
			return true;
	return false;
}

const char *
health_unready(const struct supervisor *s)
{
	switch (lifecycle_phase(s->lifecycle)) {
	case LIFECYCLE_RUNNING:
		break;
	case LIFECYCLE_QUIET:
		return health_quiet(s);
	default:
		return "shutting down";
	}
	if (!client_ready(s->current->client))
		return "not connected to the server";
	if (!heartbeat_alive(s->current->heartbeat))
		return "the server has not accepted a beat yet";
	if (!serves_a_queue(s))
		return "no handler works: all breakers are open";
	return NULL;
}

static void
put_readiness(struct supervisor *s, struct http_answer *a)
{
	const char *why = health_unready(s);

	a->status = why == NULL ? 200 : 503;
	(void)buf_printf(a->body, "%s\n", why == NULL ? "ready" : why);
}

/* NULL without memory. */
static struct metrics_queue *
list_queues(const struct supervisor *s)
{
	const struct settings *now = s->now->settings;
	struct metrics_queue *list = calloc(now->nqueues + 1, sizeof *list);

	for (size_t i = 0; list != NULL && i < now->nqueues; i++) {
		const char *name = now->queues[i].name;

		list[i] = (struct metrics_queue){ name,
			dispatch_serves(s->dispatch, name) };
	}
	return list;
}

static void
put_metrics(struct supervisor *s, struct http_answer *a)
{
	struct metrics_queue *queues = list_queues(s);
	const struct upstream_totals total =
	    upstream_total(s->upstreams, s->nupstreams);
	const struct metrics_now now = {
		.connected = client_ready(s->current->client),
		.beating = heartbeat_alive(s->current->heartbeat),
		.ready = health_unready(s) == NULL,
		.phase = metrics_phases[lifecycle_phase(s->lifecycle)],
		.slots = (size_t)s->now->settings->concurrency,
		.busy = dispatch_busy(s->dispatch),
		.waiting = total.waiting,
		.unlogged = log_dropped(),
		.fetches = total.asked,
		.told = total.told,
		.queues = queues,
		.nqueues = queues != NULL ? s->now->settings->nqueues : 0,
	};

	joblist_tell_work(s->dispatch, s->metrics);
	a->status = 200;
	a->type = "text/plain; version=0.0.4; charset=utf-8";
	int r = metrics_put(s->metrics, &now, a->body);
	free(queues);
	if (r == 0)
		return;
	a->status = 500;
	a->type = "text/plain; charset=utf-8";
	buf_clear(a->body);
	(void)buf_puts(a->body, "the metrics do not fit into memory\n");
}

static void
on_request(void *ctx, const char *path, size_t len, struct http_answer *a)
{
	static const char health[] = "/healthz", ready[] = "/readyz",
			  metrics[] = "/metrics";

	if (len == sizeof health - 1 && memcmp(path, health, len) == 0) {
		a->status = 200;
		(void)buf_puts(a->body, "ok\n");
	} else if (len == sizeof ready - 1 && memcmp(path, ready, len) == 0) {
		put_readiness(ctx, a);
	} else if (len == sizeof metrics - 1 &&
	    memcmp(path, metrics, len) == 0) {
		put_metrics(ctx, a);
	}
}

int
health_open(struct supervisor *s, struct err *e)
{
	const char *address = s->now->settings->http_listen;

	if (address == NULL)
		return 0;
	s->http = http_new(s->loop, address, on_request, s, e);
	if (s->http != NULL)
		return 0;
	if (s->given.handover == NULL)
		return -e->code;
	log_say(LOG_LEVEL_ERROR, "http", "%s; going on without", e->text);
	return 0;
}
