/*
 * upgrade - a check beside the work, a pause, exec.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/upgrade.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "handlers/run.h"
#include "supervisor/handover.h"

static const int64_t check_limit = 15 * CLOCK_NS_PER_S;

/* A FETCH waits for 2 s in the server; the rest is for a slow network. */
static const double calm_limit = 5.;

static const char self[] = "/proc/self/exe";

enum upgrade_state { IDLE, CHECKING, CALMING };

struct upgrade {
	enum upgrade_state state;
	ev_timer limit;    /* active in CALMING */
	ev_prepare turn;   /* active in CALMING */
	struct run *check; /* in CHECKING */
	struct run_request request;
	char **check_argv; /* owned array */
	char check_word[40];
	char path[PATH_MAX]; /* where we were started from; "": unknown */

	struct ev_loop *loop;
	struct spawner *spawner;
	char *const *argv;
	const struct buf *secrets;
	const struct upgrade_hooks *hooks;
	void *ctx;
};

static void
give_up(struct upgrade *u, const char *why)
{
	ev_timer_stop(u->loop, &u->limit);
	ev_prepare_stop(u->loop, &u->turn);
	u->state = IDLE;
	log_say(LOG_LEVEL_ERROR, "upgrade", "%s: %s; going on as before",
	    u->path, why);
	u->hooks->given_up(u->ctx);
}

static void
go(struct upgrade *u)
{
	struct state_writer w;
	struct err e;

	if (state_writer_init(&w, HANDOVER_MAX) < 0) {
		give_up(u, "out of memory");
		return;
	}
	log_say(LOG_LEVEL_INFO, "upgrade", "handing over to %s", u->path);
	u->hooks->save(u->ctx, &w);
	handover_exec(&w, u->path, u->argv, &e);
	state_writer_clear(&w);
	give_up(u, e.text);
}

static void
on_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct upgrade *u = w->data;

	(void)loop;
	(void)revents;
	if (u->hooks->calm(u->ctx))
		go(u);
}

static void
on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	give_up(w->data,
	    "a question to the server or the start of a program takes too "
	    "long");
}

static void
on_line(
    void *ctx, enum run_stream stream, const char *bytes, size_t len, bool more)
{
	const struct log_tag tag = { "upgrade", "check" };

	(void)ctx;
	(void)stream;
	(void)more;
	log_bytes(LOG_LEVEL_WARNING, &tag, 1, bytes, len);
}

static void
on_checked(void *ctx, const struct run_facts *facts)
{
	struct upgrade *u = ctx;
	char why[128];

	u->check = NULL;
	if (!facts->started) {
		give_up(u, strerror(facts->why.errnum));
		return;
	}
	if (facts->reason != RUN_BY_ITSELF) {
		give_up(u, "its check takes too long");
		return;
	}
	if (!WIFEXITED(facts->status) || WEXITSTATUS(facts->status) != 0) {
		snprintf(why, sizeof why, "its check ended with %s %d",
		    WIFEXITED(facts->status) ? "exit status" : "signal",
		    WIFEXITED(facts->status) ? WEXITSTATUS(facts->status)
					     : WTERMSIG(facts->status));
		give_up(u, why);
		return;
	}
	u->state = CALMING;
	u->hooks->pause(u->ctx);
	ev_now_update(u->loop);
	ev_timer_set(&u->limit, calm_limit, 0.);
	ev_timer_start(u->loop, &u->limit);
	ev_prepare_start(u->loop, &u->turn);
}

static const struct run_hooks check_hooks = { .line = on_line,
	.done = on_checked };

void
upgrade_start(struct upgrade *u)
{
	if (u->state != IDLE)
		return;
	if (u->path[0] == '\0') {
		give_up(u, "where this program was started from is unknown");
		return;
	}
	log_say(LOG_LEVEL_INFO, "upgrade", "asking %s whether it can go on",
	    u->path);
	u->state = CHECKING;
	u->request = (struct run_request){
		.spawn = { .path = u->path,
		    .argv = u->check_argv,
		    .env = environ,
		    .workdir = "/",
		    .mask = 022,
		    .feed = true },
		.input = buf_front(u->secrets),
		.input_len = buf_len(u->secrets),
		.deadline = clock_mono() + check_limit,
		.grace = CLOCK_NS_PER_S,
	};
	u->check = run_start(u->loop, u->spawner, &u->request, &check_hooks, u);
	if (u->check == NULL)
		give_up(u, "out of memory");
}

bool
upgrade_waits(const struct upgrade *u)
{
	struct stat now, then;

	return u->path[0] != '\0' && stat(self, &then) == 0 &&
	    stat(u->path, &now) == 0 &&
	    (now.st_dev != then.st_dev || now.st_ino != then.st_ino);
}

bool
upgrade_at_work(const struct upgrade *u)
{
	return u->state != IDLE;
}

/* argv, and the word that makes it a check. */
static int
make_check(struct upgrade *u)
{
	size_t n = 0;

	while (u->argv[n] != NULL)
		n++;
	u->check_argv = calloc(n + 2, sizeof *u->check_argv);
	if (u->check_argv == NULL)
		return -ENOMEM;
	memcpy(u->check_argv, u->argv, n * sizeof *u->argv);
	snprintf(u->check_word, sizeof u->check_word, "--upgrade-check=%d",
	    HANDOVER_VERSION);
	u->check_argv[n] = u->check_word;
	return 0;
}

struct upgrade *
upgrade_new(struct ev_loop *loop, struct spawner *spawner, char *const *argv,
    const struct buf *secrets, const struct upgrade_hooks *hooks, void *ctx)
{
	struct upgrade *u = calloc(1, sizeof *u);

	if (u == NULL)
		return NULL;
	u->loop = loop;
	u->spawner = spawner;
	u->argv = argv;
	u->secrets = secrets;
	u->hooks = hooks;
	u->ctx = ctx;
	ev_timer_init(&u->limit, on_limit, 0., 0.);
	ev_prepare_init(&u->turn, on_turn);
	u->limit.data = u->turn.data = u;
	ssize_t len = readlink(self, u->path, sizeof u->path - 1);
	if (len < 0)
		len = 0;
	u->path[len] = '\0';
	if (make_check(u) < 0) {
		free(u);
		return NULL;
	}
	return u;
}

/* A check that still runs keeps what it needs: the end is near. */
void
upgrade_free(struct upgrade *u)
{
	if (u == NULL || u->check != NULL)
		return;
	ev_timer_stop(u->loop, &u->limit);
	ev_prepare_stop(u->loop, &u->turn);
	free(u->check_argv);
	free(u);
}
