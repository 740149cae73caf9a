/*
 * worker - the real supervisor in this process, on what is said by peers.
 *
 * supervisor_run() is the program's own. Where it would give itself to the
 * loop, the orders of an input are carried out, and the loop turns as they
 * say. Reaching a server gives a socket pair, programs are those of
 * tests/fuzz/program.h, chance is the same each time.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_WORKER_H
#define TESTS_FUZZ_WORKER_H

#include <dirent.h>

#include "base/err.h"
#include "protocol/stream.h"
#include "protocol/url.h"
#include "supervisor/dialer.h"
#include "supervisor/inside.h"
#include "tests/fuzz/driven_clock.h"
#include "tests/fuzz/hearing.h"
#include "tests/fuzz/worker_broken.h"

enum {
	WORKER_PLACES = 6,
	WORKER_TICK = 10000 /* ns */,
	WORKER_ROUNDS = 1000,
	WORKER_READINGS = 3
};

enum reach { /* what becomes of an attempt to reach a server */
	REACH_GOOD,
	REACH_NARROW, /* it takes a few bytes at a time */
	REACH_REFUSED,
	REACH_SILENT,
	REACH_KINDS
};

static struct {
	char dir[PLACE_MAX];
	struct url urls[PEER_SERVERS];
	struct generation *readings[WORKER_READINGS];
	size_t reading; /* of these, the next reload's */
	struct supervisor *is;
	enum reach reach[PEER_SERVERS];
	void (*play)(void); /* the orders */
	bool playing;
	bool awake; /* this turn of the loop found something to do */
	bool over;
	unsigned events;
	uint64_t chance;
	int descriptors;
} worker;

/* ---- what the supervisor asks of the world -------------------------------------------- */

struct dialer {
	struct ev_loop *loop;
	int server;
	ev_timer turn;
	dialer_done *done;
	void *ctx;
};

static void
worker_on_reached(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct dialer *d = w->data;
	enum reach how = worker.reach[d->server];
	struct stream *s = NULL;
	struct err e = { .text = "refused" };

	(void)revents;
	ev_timer_stop(loop, w);
	worker.events++;
	if (how == REACH_GOOD || how == REACH_NARROW) {
		int fd = peer_open(d->server, how == REACH_NARROW);

		broken_speaks_first(fd);
		s = stream_plain(fd, &e);
	}
	d->done(d->ctx, s, s == NULL ? e.text : NULL);
	free(d);
}

WRAPPED(struct dialer *, dialer_start, struct ev_loop *loop,
    const struct url *url, struct tls *tls, dialer_done *done, void *ctx)
{
	struct dialer *d = calloc(1, sizeof *d);

	(void)tls;
	must(d != NULL);
	d->loop = loop;
	d->server = url->port - 1;
	d->done = done;
	d->ctx = ctx;
	ev_timer_init(&d->turn, worker_on_reached,
	    worker.reach[d->server] == REACH_SILENT ? DIALER_PATIENCE : 0., 0.);
	d->turn.data = d;
	ev_timer_start(loop, &d->turn);
	worker.events++;
	return d;
}

WRAPPED(void, dialer_cancel, struct dialer *d)
{
	if (d == NULL)
		return;
	ev_timer_stop(d->loop, &d->turn);
	free(d);
}

static uint64_t
worker_draw(void)
{
	worker.chance =
	    worker.chance * UINT64_C(6364136223846793005) + 1442695040888963407;
	return worker.chance >> 33;
}

WRAPPED(uint64_t, chance_below, uint64_t n)
{
	return worker_draw() % n;
}

WRAPPED(double, chance_between, double low, double high)
{
	return low + (high - low) * (double)(worker_draw() & 7) / 7.;
}

WRAPPED(struct journald *, journald_open, struct err *e)
{
	*e = (struct err){ .code = 0 };
	return NULL;
}

/* ---- its settings --------------------------------------------------------------------- */

/* Both programs exist everywhere; neither is run. */
static const char worker_settings[] =
    "concurrency: 6\n"
    "queues: %s\n"
    "queue_concurrency: {low: 2}\n"
    "labels: [%s]\n"
    "shutdown: {grace: 5s, ephemeral: %s}\n"
    "beat: 5s\n"
    "emulate_retry_in: true\n"
    "tmpdir: \"%s\"\n"
    "log: {format: journal}\n"
    "control: {socket: off}\n"
    "upgrade: off\n"
    "cgroup: off\n"
    "defaults: {grace: 2s}\n"
    "jobs:\n"
    "  t: {exec: [/bin/sh], input: args}\n"
    "  narrow: {exec: [/bin/sh, \"{args.0}\"], concurrency: %d,"
    " timeout: 30s, max_timeout: 60s, exit_codes: {65: dead, 75: retry}}\n"
    "  brittle: {exec: [/bin/sh], input: job, stdout: result,"
    " breaker: {of: 2, cooldown: 2s, hold: 5s}, stall_timeout: 20s}\n";

static struct generation *
worker_read(
    const char *queues, const char *label, const char *ephemeral, int narrow)
{
	char text[2048];
	struct err e = { 0 };

	snprintf(text, sizeof text, worker_settings, queues, label, ephemeral,
	    worker.dir, narrow);
	struct settings *s = settings_read("worker.yaml", text, strlen(text),
	    place_no_variable, place_mistake, NULL);
	must(s != NULL);
	struct generation *g = generation_new(s, place_no_variable, &e);
	must(g != NULL);
	return g;
}

static struct generation *
worker_reload(void *ctx)
{
	(void)ctx;
	worker.reading = (worker.reading + 1) % WORKER_READINGS;
	return generation_hold(worker.readings[worker.reading]);
}

static void
worker_save(void *ctx, struct state_writer *w)
{
	(void)ctx;
	(void)w;
}

static void
worker_leave(void)
{
	for (size_t i = 0; i < WORKER_READINGS; i++)
		generation_drop(worker.readings[i]);
	must_not_leak();
	place_clear(worker.dir);
}

static void
worker_set_up(void)
{
	struct err e;

	place_be_quiet();
	clock_drive(0, 0);
	signal(SIGPIPE, SIG_IGN);
	unsetenv("NOTIFY_SOCKET");
	place_make(worker.dir, "worker");
	peers_init();
	must(url_parse(
		 "tcp://:" PEER_PASSWORD "@first:1", &worker.urls[0], &e) == 0);
	must(url_parse("tcp://:" PEER_PASSWORD "@second:2", &worker.urls[1],
		 &e) == 0);
	worker.readings[0] =
	    worker_read("[default, low, mail]", "a", "repush", 2);
	worker.readings[1] =
	    worker_read("{default: 3, low: 1, q.3: 1}", "b", "wait", 1);
	worker.readings[2] = worker_read("[default, low]", "b", "fail", 5);
	must(atexit(worker_leave) == 0);
}

/* ---- its turns -------------------------------------------------------------------------- */

/* The last call of a turn tells whether the loop had anything to do. */
static void
worker_invoke(struct ev_loop *loop)
{
	worker.awake = ev_pending_count(loop) > 0;
	ev_invoke_pending(loop);
}

/* What the servers do without being told; for worker_turn(). */
static void habits_turn(void);

static unsigned
worker_events(void)
{
	return worker.events + peering.events + programs.events;
}

void __real_ev_run(struct ev_loop *loop, int flags);

/* One turn; whether anything happened. */
static bool
worker_turn(void)
{
	unsigned before = worker_events();

	habits_turn();
	for (size_t i = 0; i < PEERS; i++)
		if (peers[i].fd >= 0 && !peers[i].patient)
			peer_send(&peers[i], SIZE_MAX);
	/* libev fires what is past, not what is due at this very moment. */
	clock_drive(WORKER_TICK, 0);
	worker.awake = false;
	__real_ev_run(worker.is->loop, EVRUN_NOWAIT);
	peers_listen();
	worker.over =
	    __real_lifecycle_phase(worker.is->lifecycle) == LIFECYCLE_OVER;
	return worker.awake || worker_events() != before;
}

/* Until nothing happens any more unless somebody speaks or time passes. */
static void
worker_settle(void)
{
	int quiet = 0, rounds = 0;

	while (quiet < 2 && !worker.over) {
		quiet = worker_turn() ? 0 : quiet + 1;
		must(++rounds < WORKER_ROUNDS);
	}
	if (worker.over)
		return;
	peers_are_sure();
	bool quiet_now =
	    __real_lifecycle_phase(worker.is->lifecycle) != LIFECYCLE_RUNNING;
	must(!peering.quiet_sure || quiet_now);
	account.quiet = quiet_now;
	for (size_t i = 0; i < PEERS; i++)
		if (!peers[i].deaf &&
		    worker.reach[peers[i].server] != REACH_NARROW)
			peers[i].late = false;
}

/* What is under way is done first: it is not under way for an hour. */
static void
worker_pass(int64_t ns, int64_t step)
{
	worker_settle();
	clock_drive(ns, step);
	worker_settle();
}

/* The supervisor gives itself to the loop once; its parts turn it a little. */
void __wrap_ev_run(struct ev_loop *loop, int flags);
void
__wrap_ev_run(struct ev_loop *loop, int flags)
{
	if (worker.play == NULL || flags != 0) {
		clock_drive(WORKER_TICK, 0);
		__real_ev_run(loop, flags);
		return;
	}
	ev_set_invoke_pending_cb(loop, worker_invoke);
	worker.play();
	ev_set_invoke_pending_cb(loop, ev_invoke_pending);
}

/* ---- beginning and end --------------------------------------------------------------- */

static int
worker_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	must(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* A whole life of the supervisor, with play() in the place of its loop. */
static void
worker_live(size_t servers, void (*play)(void))
{
	const struct supervisor_parts parts = { .servers = worker.urls,
		.nservers = servers,
		.reload = worker_reload,
		.save = worker_save,
		.lookup = place_no_variable };
	struct err e = { 0 };

	worker.play = play;
	worker.over = false;
	worker.reading = 0;
	worker.chance = 1;
	peering.wid[0] = '\0';
	peering.state = WORKER_RUNNING;
	peering.quiet_in = 0;
	peering.quiet_sure = false;
	peering.places = WORKER_PLACES;
	memset(peering.beat_taken, 0, sizeof peering.beat_taken);
	memset(peering.fetched, 0, sizeof peering.fetched);
	memset(worker.reach, 0, sizeof worker.reach);
	account_clear();
	programs.fail = 0;
	programs.stubborn = false;

	int before = worker_descriptors();

	worker.is =
	    supervisor_new(&parts, generation_hold(worker.readings[0]), &e);
	if (worker.is == NULL)
		fprintf(stderr, "%s\n", e.text);
	must(worker.is != NULL);
	supervisor_run(worker.is);
	for (size_t i = 0; i < PEERS; i++) {
		peers[i].deaf = false;
		peer_take(&peers[i]);
		peer_close(&peers[i]);
	}
	must(programs_at_work() == 0);
	supervisor_free(worker.is);
	worker.is = NULL;
	must(worker_descriptors() == before);
}

#endif
