/*
 * supervisor - the parts, and who is told what; what a server tells is in
 * upstream_events.c.
 *
 *   report conversation: heartbeat, report      fetch conversations: fetch
 *            up, down                                  got | room
 *               v                                       v  |
 *           lifecycle <------- ended, settled ------- dispatch --> report
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/change.h"
#include "supervisor/containment.h"
#include "supervisor/event.h"
#include "supervisor/handover.h"
#include "supervisor/health.h"
#include "supervisor/inside.h"
#include "supervisor/orders.h"
#include "supervisor/timeline.h"
#include "supervisor/upstream_events.h"

void
supervisor_progress(struct supervisor *s)
{
	orders_progress(s);
	fetch_poke(s->current->fetch);
	choice_settle(s);
	lifecycle_check(s->lifecycle);
}

static void
reap_orphans(void *ctx)
{
	orphans_look(((struct supervisor *)ctx)->orphans);
}

static void
on_job_ended(void *ctx)
{
	struct supervisor *s = ctx;

	orphans_look(s->orphans);
	supervisor_progress(s);
}

/* To every server that hears of us. */
static void
say(struct supervisor *s, enum worker_state state)
{
	for (size_t i = 0; i < s->nupstreams; i++)
		heartbeat_say(s->upstreams[i].heartbeat, state);
}

static void
on_phase(void *ctx, enum lifecycle_phase phase)
{
	struct supervisor *s = ctx;

	switch (phase) {
	case LIFECYCLE_RUNNING:
		log_say(LOG_LEVEL_INFO, "resume", "jobs are fetched again");
		fetch_poke(s->current->fetch);
		break;
	case LIFECYCLE_QUIET:
		log_say(LOG_LEVEL_INFO, "quiet", "%s; %zu at work",
		    health_unready(s), dispatch_busy(s->dispatch));
		/*
		 * Only what the server said itself: it repeats for ever what
		 * it hears, and the operator could never take it back.
		 */
		if (lifecycle_quiet_by(s->lifecycle) & QUIET_BY_SERVER)
			say(s, WORKER_QUIET);
		break;
	case LIFECYCLE_DRAINING:
		event_say(LOG_LEVEL_INFO, EVENT_DRAINING, "shutdown",
		    "no more jobs are fetched; waiting up to %.0f s for %zu",
		    (double)s->now->settings->shutdown_grace / 1e9,
		    dispatch_busy(s->dispatch));
		say(s, WORKER_TERMINATE);
		notify_stopping(s->notify);
		break;
	case LIFECYCLE_STOPPING:
		s->interrupted = true;
		dispatch_interrupt(s->dispatch);
		break;
	case LIFECYCLE_KILLING:
		dispatch_kill(s->dispatch);
		break;
	case LIFECYCLE_OVER:
		ev_break(s->loop, EVBREAK_ALL);
		break;
	case LIFECYCLE_REPORTING:
		break;
	}
	notify_look(s->notify);
}

static bool
at_work(void *ctx)
{
	struct supervisor *s = ctx;

	return dispatch_busy(s->dispatch) > 0 ||
	    upstream_total(s->upstreams, s->nupstreams).in_flight > 0;
}

static bool
unreported(void *ctx)
{
	struct supervisor *s = ctx;

	return upstream_total(s->upstreams, s->nupstreams).waiting > 0;
}

static bool
waits(void *ctx)
{
	struct supervisor *s = ctx;

	return dispatch_waits(s->dispatch);
}

static const struct lifecycle_hooks lifecycle_hooks = { on_phase, at_work,
	unreported, waits, change_reload, change_upgrade };

static const char *
what_happens(const struct supervisor *s)
{
	if (s->handing_over)
		return "making room for the new program";
	switch (lifecycle_phase(s->lifecycle)) {
	case LIFECYCLE_RUNNING:
	case LIFECYCLE_QUIET:
		break;
	case LIFECYCLE_DRAINING:
		return "shutting down, running programs may finish";
	case LIFECYCLE_STOPPING:
		return "shutting down, programs were told to stop";
	case LIFECYCLE_KILLING:
		return "shutting down, programs are killed";
	case LIFECYCLE_REPORTING:
	case LIFECYCLE_OVER:
		return "shutting down, the server is told the outcomes";
	}
	const char *why = health_unready(s);
	return why != NULL ? why : "ready";
}

/* What `systemctl status` shows. */
static void
write_status(void *ctx, char *out, size_t cap)
{
	struct supervisor *s = ctx;
	const struct upstream_totals n =
	    upstream_total(s->upstreams, s->nupstreams);

	snprintf(out, cap,
	    "%s: %s; %zu of %lld slots in use, %zu held; %llu done, %llu "
	    "failed, %zu not confirmed yet",
	    s->current->who.shown, what_happens(s), dispatch_busy(s->dispatch),
	    (long long)s->now->settings->concurrency,
	    dispatch_held(s->dispatch), (unsigned long long)n.told.acked,
	    (unsigned long long)n.told.failed, n.waiting);
}

/*
 * A directory that somebody else uses is a mistake of the configuration; one
 * that fails must not keep jobs from being done.
 */
static int
open_journal(struct supervisor *s, struct err *e)
{
	const char *dir = s->now->settings->state_dir;

	if (dir == NULL)
		return 0;
	s->journal = journal_open(dir, s->current->who.wid, e);
	if (s->journal == NULL && (e->code == EBUSY || e->code == ENOMEM))
		return -e->code;
	if (s->journal == NULL)
		log_say(LOG_LEVEL_ERROR, "journal",
		    "state_dir: %s; outcomes are not kept, jobs go on",
		    e->text);
	return 0;
}

/* The parts in the order of their needs. */
static bool
make_parts(struct supervisor *s)
{
	const struct settings *settings = s->now->settings;
	const struct lifecycle_times times = { settings->shutdown_grace,
		timeline_longest_grace(settings) };

	s->spawner = spawner_new(s->loop);
	if (s->spawner == NULL)
		return false;
	for (size_t i = 0; i < s->nupstreams; i++) {
		struct upstream *u = &s->upstreams[i];

		if (upstream_open(
			u, s->loop, settings, s->journal, &upstream_events) < 0)
			return false;
		s->reports[i] = u->report;
	}
	s->notify = notify_new(s->loop, write_status, s);
	s->lifecycle = lifecycle_new(s->loop, &times, &lifecycle_hooks, s);
	s->kin = kin_new();
	s->orphans = orphans_new(s->loop, change_owns, s);
	s->metrics = metrics_new();
	metrics_know(s->metrics, settings);
	if (s->kin == NULL || s->orphans == NULL)
		return false;
	kin_set_reaper(s->kin, reap_orphans, s);
	if (!kin_sees(s->kin))
		log_say(LOG_LEVEL_WARNING, "kin",
		    "this kernel lists no children (CONFIG_PROC_CHILDREN): "
		    "processes that leave their program's group outlive it");
	return s->notify != NULL && s->lifecycle != NULL && s->metrics != NULL;
}

/* What a predecessor left behind, or new. */
static struct scratch *
make_scratch(struct supervisor *s, struct err *e)
{
	if (s->given.handover != NULL)
		return scratch_load(s->loop, s->spawner, s->given.handover, e);
	return scratch_open(s->loop, s->spawner, s->now->settings->tmpdir, e);
}

static int
make_work(struct supervisor *s, struct err *e)
{
	s->scratch = make_scratch(s, e);
	if (s->scratch == NULL)
		return -1;
	s->files = output_files_new(s->loop);
	if (s->files == NULL)
		return err_set(e, ENOMEM, "out of memory");
	output_files_know(s->files, s->now->settings);
	if (s->given.handover != NULL)
		kin_load(s->kin, s->given.handover);

	if (containment_open(s->now->settings, &s->cgroups, e) < 0)
		return -1;
	/* What has programs at work does not end for a manager that is busy. */
	if (s->given.handover == NULL &&
	    containment_units(s->now->settings, CONTAINMENT_PATIENCE, e) < 0)
		return -1;

	const struct dispatch_parts parts = { .loop = s->loop,
		.spawner = s->spawner,
		.scratch = s->scratch,
		.reports = s->reports,
		.wid = s->current->who.wid,
		.metrics = s->metrics,
		.files = s->files,
		.outlive = s->upgrade != NULL,
		.kin = s->kin,
		.cgroups = s->cgroups };
	s->dispatch = dispatch_new(&parts, s->now, on_job_ended, s);
	if (s->dispatch == NULL)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

/* One wid for all servers. */
static int
make_identities(struct supervisor *s, struct err *e)
{
	const struct settings *settings = s->now->settings;

	s->credential = credential_new();
	if (s->credential == NULL ||
	    credential_set(
		s->credential, settings->password, settings->password_file) < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (; s->nupstreams < s->given.nservers; s->nupstreams++) {
		struct upstream *u = &s->upstreams[s->nupstreams];

		if (identity_make(&u->who, &s->given.servers[s->nupstreams],
			s->credential, settings->labels, settings->nlabels,
			e) < 0)
			return -e->code;
		u->number = s->nupstreams;
		u->owner = s;
		u->who.tls = s->now->tls;
		if (u->number > 0)
			memcpy(u->who.wid, s->upstreams[0].who.wid,
			    sizeof u->who.wid);
	}
	choice_init(s);
	return 0;
}

struct supervisor *
supervisor_new(const struct supervisor_parts *parts, struct generation *first,
    struct err *e)
{
	struct supervisor *s = calloc(1, sizeof *s);
	bool ready = false;
	unsigned quiet = 0;

	if (s == NULL) {
		generation_drop(first);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->given = *parts;
	s->now = first;
	s->began = clock_mono();
	s->reading = 1;
	s->socket.fd = -1;
	ev_prepare_init(&s->turn, change_turn);
	s->turn.data = s;
	if (make_identities(s, e) < 0)
		goto fail;

	s->journald = journald_open(e);
	if (s->journald == NULL && e->code != 0)
		goto fail;
	if (parts->handover != NULL)
		change_load_identity(s, &ready, &quiet);
	if (open_journal(s, e) < 0)
		goto fail;
	/* Not the default loop: that one reaps every child by itself. */
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (s->loop == NULL || !make_parts(s) || change_prepare(s) < 0) {
		err_set(e, ENOMEM, "out of memory, threads or descriptors");
		goto fail;
	}
	if (make_work(s, e) < 0 || health_open(s, e) < 0 ||
	    orders_open(s, e) < 0)
		goto fail;
	if (parts->handover != NULL)
		change_load_work(s);
	if (ready)
		notify_was_ready(s->notify);
	if (quiet != 0)
		lifecycle_quiet(s->lifecycle, quiet);
	return s;

fail:
	supervisor_free(s);
	return NULL;
}

void
supervisor_free(struct supervisor *s)
{
	if (s == NULL)
		return;
	orders_close(s);
	/* What does not die keeps its run; the end of the process is near. */
	if (s->dispatch != NULL && dispatch_busy(s->dispatch) > 0) {
		output_files_hold(s->files);
		if (s->journald != NULL)
			journald_hold(s->journald);
		return;
	}
	http_free(s->http);
	orphans_free(s->orphans);
	kin_free(s->kin);
	cgroups_close(s->cgroups);
	lifecycle_free(s->lifecycle);
	if (s->loop != NULL)
		choice_stop(s);
	for (size_t i = 0; i < s->nupstreams; i++)
		upstream_close(&s->upstreams[i]);
	notify_free(s->notify);
	dispatch_free(s->dispatch);
	output_files_close(s->files);
	metrics_free(s->metrics);
	journal_close(s->journal);
	scratch_close(s->scratch);
	upgrade_free(s->upgrade);
	buf_free(s->secrets);
	spawner_free(s->spawner);
	if (s->loop != NULL) {
		ev_prepare_stop(s->loop, &s->turn);
		ev_loop_destroy(s->loop);
	}
	journald_close(s->journald);
	generation_drop(s->now);
	credential_free(s->credential);
	free(s);
}

void
supervisor_run(struct supervisor *s)
{
	log_say(LOG_LEVEL_INFO, "start",
	    "faktotum %s, %zu handlers, %lld slots, pid %lld", FAKTOTUM_VERSION,
	    s->now->settings->nhandlers,
	    (long long)s->now->settings->concurrency,
	    (long long)s->current->who.pid);
	if (s->given.handover != NULL)
		notify_reloaded(s->notify);
	handover_listen();
	choice_start(s);
	/* A drain that was carried over may have nothing to wait for. */
	if (lifecycle_phase(s->lifecycle) != LIFECYCLE_OVER)
		ev_run(s->loop, 0);

	const struct upstream_totals n =
	    upstream_total(s->upstreams, s->nupstreams);
	if (n.waiting > 0)
		log_say(LOG_LEVEL_ERROR, "shutdown",
		    "%zu outcomes could not be told to the server; their jobs "
		    "come back when their reservations end",
		    n.waiting);
	orders_over(s);
	for (size_t i = 0; i < s->nupstreams; i++)
		upstream_end(&s->upstreams[i]);
	uint64_t dropped = n.told.dropped + n.waiting;
	uint64_t done = n.told.acked - n.told.copied;
	uint64_t back = n.told.released + n.told.copied;
	log_say(LOG_LEVEL_INFO, "stop",
	    "%llu done, %llu failed, %llu given back, %llu came too late, "
	    "%llu not told",
	    (unsigned long long)done, (unsigned long long)n.told.failed,
	    (unsigned long long)back, (unsigned long long)n.told.unknown,
	    (unsigned long long)dropped);
}
