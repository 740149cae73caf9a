/*
 * change - new settings, new labels, a new program: while jobs go on.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/containment.h"
#include "supervisor/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/event.h"
#include "supervisor/handover.h"
#include "supervisor/inside.h"
#include "supervisor/joblist.h"
#include "supervisor/orders.h"
#include "supervisor/reload.h"
#include "supervisor/timeline.h"

/*
 * A server knows a worker's labels from its first conversation until its last
 * one has ended, so all end before the next begins: when no job is on its way
 * to us and no outcome on its way to the server. Programs run on meanwhile.
 */
void
change_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct supervisor *s = w->data;

	(void)revents;
	const struct upstream_totals n =
	    upstream_total(s->upstreams, s->nupstreams);
	if (n.in_flight > 0 || n.sent > 0)
		return;
	ev_prepare_stop(loop, w);
	s->introduce = false;
	for (size_t i = 0; i < s->nupstreams; i++) {
		struct upstream *u = &s->upstreams[i];

		fetch_hang_up(u->fetch);
		if (!client_idle(u->client))
			client_redial(u->client,
			    "to introduce this worker with new labels");
	}
}

static bool
reload_fetches(struct supervisor *s, const struct settings *settings)
{
	bool good = true;

	for (size_t i = 0; i < s->nupstreams; i++)
		good =
		    fetch_reload(s->upstreams[i].fetch, settings) == 0 && good;
	return good;
}

/* For conversations that begin from now on. */
static void
introduce_as(struct upstream *u, const struct generation *next)
{
	const struct settings *settings = next->settings;

	heartbeat_set_period(u->heartbeat, settings->beat);
	u->who.labels = settings->labels;
	u->who.nlabels = settings->nlabels;
	u->who.tls = next->tls;
}

/* Everything that may fail comes first: a reload happens wholly or not. */
static bool
adopt(struct supervisor *s, struct generation *next)
{
	const struct settings *settings = next->settings;
	const struct lifecycle_times times = { settings->shutdown_grace,
		timeline_longest_grace(settings) };
	bool labels = reload_changes_labels(s->now->settings, settings);
	struct generation *before = s->now;

	if (!reload_fetches(s, settings)) {
		(void)reload_fetches(s, before->settings);
		return false;
	}
	if (credential_set(s->credential, settings->password,
		settings->password_file) < 0 ||
	    dispatch_reload(s->dispatch, next) < 0) {
		(void)reload_fetches(s, before->settings);
		(void)credential_set(s->credential, before->settings->password,
		    before->settings->password_file);
		return false;
	}
	s->now = next;
	s->reading++;
	metrics_know(s->metrics, settings);
	output_files_know(s->files, settings);
	log_open(settings->log_format, settings->log_level);
	lifecycle_set_times(s->lifecycle, &times);
	for (size_t i = 0; i < s->nupstreams; i++)
		introduce_as(&s->upstreams[i], next);
	/* Where the old password or certificate was refused. */
	client_hurry(s->current->client);
	fetch_hurry(s->current->fetch);
	if (labels) {
		s->introduce = true;
		ev_prepare_start(s->loop, &s->turn);
	}
	generation_drop(before);
	return true;
}

static bool
can_contain(const struct supervisor *s, const struct generation *next)
{
	struct err e;

	if (containment_check(next->settings, s->cgroups, &e) == 0 &&
	    containment_units(next->settings, 0, &e) == 0)
		return true;
	log_say(LOG_LEVEL_ERROR, "reload", "%s", e.text);
	return false;
}

static void
reload(struct supervisor *s)
{
	struct generation *next = s->given.reload(s->given.ctx);
	if (next != NULL)
		reload_keep_fixed(s->now->settings, next->settings);
	if (next != NULL && can_contain(s, next) && adopt(s, next)) {
		log_say(LOG_LEVEL_INFO, "reload",
		    "%s: %zu handlers, %lld slots; jobs at work keep their "
		    "settings",
		    next->settings->file, next->settings->nhandlers,
		    (long long)next->settings->concurrency);
	} else {
		event_say(LOG_LEVEL_ERROR, EVENT_RELOAD_FAILED, "reload",
		    "nothing was changed; going on as before");
		generation_drop(next);
	}
	notify_reloaded(s->notify);
	fetch_poke(s->current->fetch);
}

/* A package that was upgraded is taken into use by a reload. */
void
change_reload(void *ctx)
{
	struct supervisor *s = ctx;

	notify_reloading(s->notify);
	if (s->upgrade != NULL &&
	    (upgrade_at_work(s->upgrade) || upgrade_waits(s->upgrade))) {
		s->reload_too = true;
		upgrade_start(s->upgrade);
	} else {
		reload(s);
	}
}

void
change_upgrade(void *ctx)
{
	struct supervisor *s = ctx;

	if (s->upgrade == NULL) {
		log_say(LOG_LEVEL_WARNING, "signal",
		    "USR2: upgrade in place is off (setting upgrade)");
		return;
	}
	notify_reloading(s->notify);
	upgrade_start(s->upgrade);
}

static void
on_pause(void *ctx)
{
	struct supervisor *s = ctx;

	s->handing_over = true;
	dispatch_pause(s->dispatch);
}

static bool
is_calm(void *ctx)
{
	struct supervisor *s = ctx;
	const struct upstream_totals n =
	    upstream_total(s->upstreams, s->nupstreams);

	/* A supervisor that has been told to end does not begin anew. */
	return lifecycle_phase(s->lifecycle) < LIFECYCLE_DRAINING &&
	    n.in_flight == 0 && n.sent == 0 &&
	    joblist_starting(s->dispatch) == 0;
}

static void
on_save(void *ctx, struct state_writer *w)
{
	struct supervisor *s = ctx;

	orders_flush(s);
	if (s->journal != NULL)
		journal_settle(s->journal);
	size_t unwritten = output_files_hold(s->files);
	if (unwritten > 0)
		log_say(LOG_LEVEL_WARNING, "output",
		    "%zu lines are left out of files: the disk is too slow",
		    unwritten);
	size_t unsent = s->journald != NULL ? journald_hold(s->journald) : 0;
	s->given.save(s->given.ctx, w);
	generation_save(s->now, w);
	state_put_text(w, s->current->who.wid);
	state_put_int(w, notify_is_ready(s->notify));
	state_put_int(w, lifecycle_quiet_by(s->lifecycle));
	state_put_int(w, (int64_t)(unsent + log_losses()));
	state_put_int(w, s->began);
	state_put_int(w, (int64_t)s->reading);
	orders_save(s, w);
	scratch_save(s->scratch, w);
	kin_save(s->kin, w);
	state_put_int(w, (int64_t)s->nupstreams);
	for (size_t i = 0; i < s->nupstreams; i++) {
		state_put_text(w, s->upstreams[i].who.shown);
		report_save(s->upstreams[i].report, w);
	}
	dispatch_save(s->dispatch, w);
}

static void
on_given_up(void *ctx)
{
	struct supervisor *s = ctx;

	output_files_go_on(s->files);
	if (s->journald != NULL)
		journald_go_on(s->journald);
	s->handing_over = false;
	dispatch_resume(s->dispatch);
	if (s->reload_too)
		reload(s);
	else
		notify_reloaded(s->notify);
	s->reload_too = false;
	fetch_poke(s->current->fetch);
}

static const struct upgrade_hooks upgrade_hooks = { on_pause, is_calm, on_save,
	on_given_up };

bool
change_owns(void *ctx, pid_t pid)
{
	struct supervisor *s = ctx;

	return s->dispatch != NULL && joblist_owns(s->dispatch, pid);
}

/*
 * Programs that outlive our threads outlive us too when we are killed. Where
 * a service manager ends them in that case this costs nothing.
 */
static bool
wants_upgrade(const struct settings *settings)
{
	return settings->upgrade == UPGRADE_ON ||
	    (settings->upgrade == UPGRADE_AUTO &&
		getenv("NOTIFY_SOCKET") != NULL);
}

/* What the check reads: the caller's secrets, in the form of a state. */
int
change_prepare(struct supervisor *s)
{
	struct state_writer w;

	if (!wants_upgrade(s->now->settings))
		return 0;
	int e = state_writer_init(&w, HANDOVER_MAX);
	s->secrets = buf_new(HANDOVER_MAX);
	if (e == 0 && s->secrets != NULL) {
		s->given.save(s->given.ctx, &w);
		e = state_seal(&w, HANDOVER_VERSION, s->secrets);
	}
	state_writer_clear(&w);
	if (e == 0 && s->secrets != NULL)
		s->upgrade = upgrade_new(s->loop, s->spawner, s->given.argv,
		    s->secrets, &upgrade_hooks, s);
	return s->upgrade != NULL ? 0 : -ENOMEM;
}

/* Who we are to the server does not change with the program. */
void
change_load_identity(struct supervisor *s, bool *ready, unsigned *quiet)
{
	struct state_reader *r = s->given.handover;
	char *wid = state_get_text(r);

	if (wid != NULL)
		for (size_t i = 0; i < s->nupstreams; i++)
			snprintf(s->upstreams[i].who.wid,
			    sizeof s->upstreams[i].who.wid, "%s", wid);
	free(wid);
	*ready = state_get_within(r, 0, 1) != 0;
	*quiet = (unsigned)state_get_within(r, 0, QUIET_ALL);
	log_lost((unsigned long)state_get_within(r, 0, INT32_MAX));
	s->began = state_get_int(r);
	/* The successor has read the configuration again. */
	s->reading = (uint64_t)state_get_within(r, 1, INT64_MAX - 1) + 1;
	control_socket_load(&s->socket, r);
}

/*
 * What the servers are owed. now_at: what was number i is that number of
 * ours; a server that is in the list no more is taken for the first.
 */
static size_t
load_reports(struct supervisor *s, size_t now_at[SETTINGS_SERVERS_MAX])
{
	struct state_reader *r = s->given.handover;
	size_t n = (size_t)state_get_within(r, 0, SETTINGS_SERVERS_MAX);

	for (size_t i = 0; i < n; i++) {
		char *shown = state_get_text(r);

		now_at[i] = 0;
		for (size_t k = 0; shown != NULL && k < s->nupstreams; k++)
			if (strcmp(s->upstreams[k].who.shown, shown) == 0)
				now_at[i] = k;
		free(shown);
		report_load(s->reports[now_at[i]], r);
	}
	return n;
}

/* The jobs at work. What cannot be read ends, and comes back to somebody. */
void
change_load_work(struct supervisor *s)
{
	struct state_reader *r = s->given.handover;

	size_t now_at[SETTINGS_SERVERS_MAX];
	size_t nservers = load_reports(s, now_at);
	dispatch_pause(s->dispatch);
	size_t n = dispatch_load(s->dispatch, r, s->given.lookup);
	dispatch_renumber(s->dispatch, now_at, nservers);
	if (r->failed)
		log_say(LOG_LEVEL_ERROR, "upgrade",
		    "the state is damaged; %zu programs were killed, their "
		    "jobs come back when their reservations end",
		    handover_orphan(change_owns, s));
	log_say(LOG_LEVEL_INFO, "upgrade",
	    "going on with %zu jobs as faktotum %s", n, FAKTOTUM_VERSION);
	dispatch_resume(s->dispatch);
}
