/*
 * server - wiring: what one part tells, another is told.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "protocol/resp.h"
#include "server/certificates.h"
#include "server/commands.h"
#include "server/listener.h"
#include "server/parts.h"
#include "server/weights.h"
#include "server/web/web.h"

enum { SCRATCH_MAX = 1 << 30 };

/* After server_stop(): how long answers may take to leave; seconds. */
#define LAST_CALL 5.0

/* ---- what the parts tell -------------------------------------------------- */

static void
on_queued(void *ctx, struct queue *q)
{
	struct server *s = ctx;

	fetches_serve(s->fetches, q);
}

static bool
on_awaited(void *ctx, struct queue *q, struct jobs_waiter *w)
{
	struct server *s = ctx;

	return fetches_claim(s->fetches, q, w);
}

/* A full disk makes one line a second, however many jobs it concerns. */
static void
on_trouble(void *ctx, const char *jid, const char *what)
{
	struct server *s = ctx;
	int64_t now = clock_mono();
	const struct log_tag tags[] = { { "jid", jid } };

	s->troubles++;
	if (s->last_trouble != 0 && now - s->last_trouble < CLOCK_NS_PER_S)
		return;
	log_tagged(LOG_LEVEL_ERROR, tags, 1, "not moved: %s (%llu like it)",
	    what, (unsigned long long)s->troubles);
	s->last_trouble = now;
	s->troubles = 0;
}

static enum jobs_presence
on_presence(void *ctx, const char *wid)
{
	struct server *s = ctx;
	const struct worker *w = workers_find(s->workers, wid);

	if (w == NULL)
		return PRESENCE_AWAY;
	return (w->extensions & EXTENSION_CANCEL) != 0 ? PRESENCE_HEARS
						       : PRESENCE_DEAF;
}

static void
on_died(void *ctx, const struct worker *w)
{
	struct server *s = ctx;

	jobs_worker_gone(s->jobs, w->wid);
}

static void
on_lost(void *ctx, const struct worker *w)
{
	struct server *s = ctx;

	jobs_worker_lost(s->jobs, w->wid, w->heard);
}

static void
on_silent(void *ctx, struct worker *w)
{
	struct server *s = ctx;

	log_say(LOG_LEVEL_WARNING, "workers",
	    "wid=%s was silent for %.0f s; its connections are closed", w->wid,
	    WORKER_SILENCE);
	for (struct conn *c = s->conns; c != NULL; c = c->next)
		if (c->worker == w)
			conn_close(c);
}

static void
on_accept(void *ctx, int fd, const char *peer)
{
	struct server *s = ctx;
	char text[80];
	int n;

	if (s->nconns < (size_t)s->settings->limits.connections) {
		if (conn_new(s, fd, peer) == NULL)
			log_say(LOG_LEVEL_ERROR, peer, "closed: out of memory");
		return;
	}
	/* Before any greeting, so that nobody takes it for an answer. */
	s->refused++;
	n = snprintf(text, sizeof text, "-ERR too many connections: %zu\r\n",
	    s->nconns + 1);
	(void)!send(fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
	log_say(LOG_LEVEL_WARNING, peer, "refused: %zu connections are open",
	    s->nconns);
}

/* ---- the turn --------------------------------------------------------------- */

static void
end_if_done(struct server *s)
{
	if (s->stopping && s->conns == NULL && store_pending(s->store) == 0)
		ev_break(s->loop, EVBREAK_ALL);
}

static void
on_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct server *s = w->data;

	(void)revents;
	conns_turn(s);
	counters_write(s->counters, s->store, false);
	store_flush(s->store);
	if (s->dirty != NULL)
		ev_idle_start(loop, &s->again);
	else
		ev_idle_stop(loop, &s->again);
	end_if_done(s);
}

/* Only keeps the loop from sleeping while there is a next turn to come. */
static void
on_again(struct ev_loop *loop, ev_idle *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

static void
on_last_call(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

/*
 * What `systemctl status` shows. A disk that says no is no reason for the
 * watchdog to bite: the store answers, and a new start finds the same disk.
 */
static bool
tell_manager(void *ctx, char *out, size_t cap)
{
	struct server *s = ctx;
	char trouble[HEALTH_REASON_MAX];
	const char *why = NULL;
	struct store_status st;

	store_status(s->store, &st);
	if (s->health != NULL && (st.committed != 0 || st.failing))
		why = health_trouble(s->health, trouble);

	if (s->stopping)
		snprintf(out, cap,
		    "stopping: %zu clients still there, %zu changes on their "
		    "way to the disk",
		    s->nconns, store_pending(s->store));
	else
		snprintf(out, cap,
		    "listening at %s%s%s; %zu jobs in %zu queues, %zu "
		    "reserved, %zu clients",
		    server_address(s), why != NULL ? "; " : "",
		    why != NULL ? why : "", queues_jobs(s->queues),
		    queues_known(s->queues), jobs_reserved(s->jobs), s->nconns);
	return s->health == NULL || !health_hangs(s->health);
}

/* ---- start -------------------------------------------------------------------- */

static int
load_job(void *ctx, const struct store_job *row)
{
	struct server *s = ctx;

	notify_loading(s->notify);
	int r = jobs_load(s->jobs, row);

	return r == -EINVAL ? -EUCLEAN : r;
}

static int
load_counter(void *ctx, const char *name, int64_t value)
{
	struct server *s = ctx;

	counters_load(s->counters, name, value);
	return 0;
}

static int
load_queue(void *ctx, const char *name, bool paused)
{
	struct server *s = ctx;
	struct queue *q = queues_get(s->queues, name, strlen(name));

	if (q == NULL)
		return -ENOMEM;
	q->known = true;
	q->paused = paused;
	return 0;
}

static int
load_note(void *ctx, enum store_note note, const char *wid, const char *jid,
    int64_t value)
{
	struct server *s = ctx;

	return jobs_load_note(s->jobs, note, wid, jid, value);
}

static int
load_result(void *ctx, int64_t id, const char *jid, int64_t at)
{
	struct server *s = ctx;

	return results_load(jobs_results(s->jobs), id, jid, at);
}

static int
make_parts(struct server *s)
{
	const struct jobs_hooks hooks = {
		.queued = on_queued,
		.awaited = on_awaited,
		.trouble = on_trouble,
		.presence = on_presence,
		.ctx = s,
	};
	const struct workers_hooks worker_hooks = {
		.silent = on_silent,
		.died = on_died,
		.lost = on_lost,
		.ctx = s,
	};
	const struct jobs_options options = {
		.worker_grace = s->settings->worker_grace,
		.worker_silence = s->settings->worker_silence,
		.restart_grace = s->settings->restart_grace,
		.result_retention = s->settings->result_retention,
		.push_window = s->settings->push_window,
		.worker_deaths = s->settings->worker_deaths,
	};

	s->notify = notify_new(s->loop, tell_manager, s);
	s->queues = queues_new();
	s->counters = counters_new();
	s->workers = workers_new(s->loop, &worker_hooks);
	s->scratch = buf_new(SCRATCH_MAX);
	s->catalogue = catalogue_new();
	if (s->notify == NULL || s->queues == NULL || s->counters == NULL ||
	    s->workers == NULL || s->scratch == NULL || s->catalogue == NULL)
		return -ENOMEM;
	s->jobs = jobs_new(s->loop, s->queues, s->counters, &hooks, &options);
	if (s->jobs == NULL)
		return -ENOMEM;
	s->fetches =
	    fetches_new(s->loop, s->jobs, s->queues, &command_fetch_hooks);
	return s->fetches != NULL ? 0 : -ENOMEM;
}

static void
start_watchers(struct server *s)
{
	ev_prepare_init(&s->turn, on_turn);
	s->turn.data = s;
	ev_prepare_start(s->loop, &s->turn);
	ev_idle_init(&s->again, on_again);
	ev_timer_init(&s->last_call, on_last_call, LAST_CALL, 0.);
}

/*
 * What kind of trouble it is decides the exit status: permission denied means
 * one thing for an address and another for a file.
 */
static void
is_about_address(struct err *e)
{
	if (e->code != EINVAL && e->code != ENOMEM && e->code != EADDRINUSE)
		e->code = EADDRNOTAVAIL;
}

/* The manager's socket, when it holds one, else the settings' address. */
static int
open_listener(struct server *s, struct err *e)
{
	int fd = notify_take_socket(e);

	if (fd < 0 && fd != -ENOENT)
		return fd;
	s->listener = fd >= 0
	    ? listener_adopt(s->loop, fd, on_accept, s, e)
	    : listener_open(s->loop, s->settings->listen, on_accept, s, e);
	if (s->listener == NULL) {
		is_about_address(e);
		return -e->code;
	}
	if (fd >= 0)
		log_say(LOG_LEVEL_INFO, "server",
		    "the service manager holds the socket: the setting listen "
		    "is not used");
	return 0;
}

/* Last, so that nobody is told of an address before the other is ours. */
static int
open_web(struct server *s, struct err *e)
{
	bool web = s->settings->web_listen != NULL;

	if (!web && !notify_watched(s->notify))
		return 0;
	s->health = health_new(s->loop, s->store, &s->room);
	if (s->health == NULL)
		return err_set(e, ENOMEM, "out of memory");
	if (!web)
		return 0;
	s->web = web_open(s, e);
	if (s->web == NULL)
		is_about_address(e);
	return s->web != NULL ? 0 : -e->code;
}

struct server *
server_start(
    struct ev_loop *loop, struct server_settings *settings, struct err *e)
{
	struct server *s = calloc(1, sizeof *s);
	const struct store_visitor load = {
		.job = load_job,
		.counter = load_counter,
		.queue = load_queue,
		.note = load_note,
		.result = load_result,
		.ctx = s,
	};

	if (s == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->loop = loop;
	s->settings = settings;
	s->started = clock_wall();
	s->began = clock_mono();
	start_watchers(s);
	if (make_parts(s) < 0) {
		err_set(e, ENOMEM, "out of memory");
		goto fail;
	}
	if (weights_set(s->queues, &settings->queue_weights) < 0) {
		err_set(e, ENOMEM, "out of memory");
		goto fail;
	}
	if (catalogue_load(s->catalogue, &settings->jobtypes, e) < 0)
		goto fail;
	if (settings->tls.given &&
	    (s->tls = certificates_read(settings, e)) == NULL)
		goto fail;
	s->store = store_open(loop, settings->data, &load, e);
	if (s->store == NULL)
		goto fail;
	if (open_listener(s, e) < 0 || open_web(s, e) < 0)
		goto fail;
	jobs_start(s->jobs, s->store);
	return s;

fail:
	server_free(s);
	return NULL;
}

uint16_t
server_port(const struct server *s)
{
	return listener_port(s->listener);
}

const char *
server_address(const struct server *s)
{
	return listener_address(s->listener);
}

void
server_ready(struct server *s)
{
	notify_ready(s->notify);
}

/* ---- stop ------------------------------------------------------------------------ */

void
server_stop(struct server *s)
{
	struct conn *c;

	if (s->stopping)
		return;
	s->stopping = true;
	notify_stopping(s->notify);
	listener_close(s->listener);
	s->listener = NULL;
	for (c = s->conns; c != NULL; c = c->next) {
		if (c->fetch != NULL)
			fetch_give_up(c->fetch);
		conn_close_after(c);
	}
	ev_timer_start(s->loop, &s->last_call);
}

static void
tell_totals(const struct server *s)
{
	struct store_status st;

	store_status(s->store, &st);
	log_say(LOG_LEVEL_INFO, "server",
	    "%llu commands; %llu changes in %llu commits",
	    (unsigned long long)s->commands, (unsigned long long)st.changes,
	    (unsigned long long)st.commits);
}

void
server_tell(struct server *s)
{
	char text[512];

	(void)tell_manager(s, text, sizeof text);
	log_say(LOG_LEVEL_INFO, "server", "%s", text);
	tell_totals(s);
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	web_close(s->web);
	listener_close(s->listener);
	for (struct conn *c = s->conns; c != NULL; c = c->next)
		conn_close(c);
	if (s->store != NULL) {
		/* A closed connection may give a job back. */
		conns_turn(s);
		counters_write(s->counters, s->store, true);
		tell_totals(s);
		store_close(s->store);
	}
	health_free(s->health);
	conns_turn(s);
	fetches_free(s->fetches);
	jobs_free(s->jobs);
	workers_free(s->workers);
	counters_free(s->counters);
	queues_free(s->queues);
	buf_free(s->scratch);
	catalogue_free(s->catalogue);
	notify_free(s->notify);
	tls_drop(s->tls);
	ev_prepare_stop(s->loop, &s->turn);
	ev_idle_stop(s->loop, &s->again);
	ev_timer_stop(s->loop, &s->last_call);
	free(s);
}
