/*
 * overview - the supervisor and its jobs as lines of JSON.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/overview.h"

#include "base/clock.h"
#include "protocol/field.h"
#include "supervisor/health.h"
#include "supervisor/inside.h"

enum { BREAKERS_MAX = 256 }; /* of those that are not closed */

static double
seconds(int64_t ns)
{
	return (double)ns / (double)CLOCK_NS_PER_S;
}

static int
put_flag(struct buf *out, const char *name, bool value)
{
	return buf_printf(out, "\"%s\":%s,", name, value ? "true" : "false");
}

static int
put_seconds(struct buf *out, const char *name, int64_t ns)
{
	return buf_printf(out, "\"%s\":%.3f,", name, seconds(ns));
}

static int
put_count(struct buf *out, const char *name, uint64_t n)
{
	return buf_printf(out, "\"%s\":%llu,", name, (unsigned long long)n);
}

/* text NULL: null. */
static int
put_text(struct buf *out, const char *name, const char *text)
{
	return text != NULL ? field_put_text(out, name, text)
			    : buf_printf(out, "\"%s\":null,", name);
}

/* Who asked for quiet: operator, server, both; NULL: nobody. */
static const char *
quiet_name(unsigned by)
{
	bool server = by & QUIET_BY_SERVER;

	if (by & (QUIET_BY_OPERATOR | QUIET_TO_THE_END))
		return server ? "both" : "operator";
	return server ? "server" : NULL;
}

static int
put_identity(struct buf *out, const struct supervisor *s, int64_t now)
{
	int r = buf_puts(out, "{\"supervisor\":{");

	if (r == 0)
		r = field_put_int(out, "pid", s->current->who.pid);
	if (r == 0)
		r = field_put_text(out, "version", FAKTOTUM_VERSION);
	if (r == 0)
		r = field_put_text(out, "wid", s->current->who.wid);
	if (r == 0)
		r = field_put_text(out, "server", s->current->who.shown);
	if (r == 0)
		r = put_flag(
		    out, "connected", client_ready(s->current->client));
	if (r == 0)
		r = put_flag(
		    out, "beating", heartbeat_alive(s->current->heartbeat));
	if (r == 0)
		r = field_put_text(out, "config", s->now->settings->file);
	if (r == 0)
		r = put_count(out, "generation", s->reading);
	return r < 0 ? r : put_seconds(out, "uptime_s", now - s->began);
}

static int
put_state(struct buf *out, const struct supervisor *s)
{
	unsigned by = lifecycle_quiet_by(s->lifecycle);
	int r = field_put_text(
	    out, "phase", metrics_phases[lifecycle_phase(s->lifecycle)]);

	if (r == 0)
		r = put_text(out, "quiet_by", quiet_name(by));
	if (r == 0)
		r = put_flag(out, "drain", by & QUIET_TO_THE_END);
	return r < 0 ? r : put_text(out, "unready", health_unready(s));
}

static int
put_counts(struct buf *out, const struct supervisor *s)
{
	const struct upstream_totals total =
	    upstream_total(s->upstreams, s->nupstreams);
	const struct report_counts n = total.told;
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{ "slots", (uint64_t)s->now->settings->concurrency },
		{ "busy", dispatch_busy(s->dispatch) },
		{ "held", dispatch_held(s->dispatch) },
		{ "fetches", total.asked },
		{ "done", n.acked },
		{ "failed", n.failed },
		{ "released", n.released },
		{ "late", n.unknown },
		{ "dropped", n.dropped },
		{ "lost", dispatch_lost(s->dispatch) },
		{ "unconfirmed", total.waiting },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof counts / sizeof counts[0]; i++)
		r = put_count(out, counts[i].name, counts[i].value);
	return r;
}

/* Breakers while they are written. */
struct list {
	struct buf *out;
	int64_t now;
	size_t n;
	int failed;
};

static bool
put_breaker(void *ctx, const char *jobtype, const struct breaker *b)
{
	struct list *l = ctx;
	int r = buf_puts(l->out, l->n > 0 ? ",{" : "{");

	if (r == 0)
		r = field_put_text(l->out, "jobtype", jobtype);
	if (r == 0)
		r = field_put_text(
		    l->out, "state", breaker_state_name(b->state));
	if (r == 0)
		r = field_put_text(l->out, "reason", b->reason);
	if (r == 0)
		r = b->state == BREAKER_OPEN
		    ? put_seconds(l->out, "left_s",
			  b->until > l->now ? b->until - l->now : 0)
		    : put_text(l->out, "left_s", NULL);
	if (r == 0)
		r = field_put_end(l->out);
	l->failed = r;
	return r == 0 && ++l->n < BREAKERS_MAX;
}

static int
put_breakers(struct buf *out, const struct supervisor *s, int64_t now)
{
	struct list l = { .out = out, .now = now };
	int r = buf_puts(out, "\"breakers\":[");

	if (r < 0)
		return r;
	joblist_walk_breakers(s->dispatch, put_breaker, &l);
	return l.failed < 0 ? l.failed : buf_puts(out, "],");
}

/* Ends the inner and the outer object. */
static int
put_end(struct buf *out)
{
	int r = field_put_end(out);

	return r < 0 ? r : buf_puts(out, "}\n");
}

int
overview_put(struct buf *out, const struct supervisor *s, int64_t now)
{
	int r = put_identity(out, s, now);

	if (r == 0)
		r = put_state(out, s);
	if (r == 0)
		r = put_counts(out, s);
	if (r == 0)
		r = put_breakers(out, s, now);
	return r < 0 ? r : put_end(out);
}

int
overview_put_job(struct buf *out, const struct joblist_job *job, int64_t now)
{
	int r = buf_puts(out, "{\"job\":{");

	if (r == 0)
		r = field_put_text(out, "jid", job->jid);
	if (r == 0)
		r = field_put_text(out, "jobtype", job->jobtype);
	if (r == 0)
		r = field_put_text(out, "queue", job->queue);
	if (r == 0)
		r = put_text(out, "dispatch",
		    *job->dispatch != '\0' ? job->dispatch : NULL);
	if (r == 0)
		r = field_put_int(out, "attempt", job->attempt);
	if (r == 0)
		r = field_put_text(
		    out, "state", joblist_state_name(job->state));
	if (r == 0)
		r = job->pid > 0 ? field_put_int(out, "pid", job->pid)
				 : put_text(out, "pid", NULL);
	if (r == 0)
		r = put_seconds(out, "age_s",
		    now - (job->started != 0 ? job->started : job->taken));
	if (r == 0)
		r = put_seconds(out, "left_s", job->deadline - now);
	if (r == 0)
		r = job->percent < 0
		    ? put_text(out, "percent", NULL)
		    : buf_printf(out, "\"percent\":%g,", job->percent);
	if (r == 0)
		r = put_text(
		    out, "desc", *job->desc != '\0' ? job->desc : NULL);
	return r < 0 ? r : put_end(out);
}
