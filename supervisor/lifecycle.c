/*
 * lifecycle - signals and timers move it forward; only out of QUIET a way
 * leads back.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "handlers/in_child.h"

enum { NSIGNALS = 5 };
static const int signals[NSIGNALS] = { SIGTERM, SIGINT, SIGTSTP, SIGHUP,
	SIGUSR2 };

struct lifecycle {
	enum lifecycle_phase phase;
	unsigned quiet_by; /* enum lifecycle_quiet */
	ev_signal watchers[NSIGNALS];
	ev_timer limit; /* of the phase, from DRAINING on */
	struct lifecycle_times times;

	struct ev_loop *loop;
	const struct lifecycle_hooks *hooks;
	void *ctx;
};

static void
set_limit(struct lifecycle *l, double seconds)
{
	ev_now_update(l->loop);
	ev_timer_stop(l->loop, &l->limit);
	ev_timer_set(&l->limit, seconds, 0.);
	ev_timer_start(l->loop, &l->limit);
}

static void
enter(struct lifecycle *l, enum lifecycle_phase next)
{
	if (next <= l->phase)
		return;
	l->phase = next;

	switch (next) {
	case LIFECYCLE_RUNNING:
	case LIFECYCLE_QUIET:
		break;
	case LIFECYCLE_DRAINING:
		set_limit(l, (double)l->times.drain / 1e9);
		break;
	case LIFECYCLE_STOPPING:
		set_limit(
		    l, (double)l->times.stop / 1e9 + LIFECYCLE_KILL_LIMIT);
		break;
	case LIFECYCLE_KILLING:
		set_limit(l, LIFECYCLE_KILL_LIMIT);
		break;
	case LIFECYCLE_REPORTING:
		set_limit(l, LIFECYCLE_REPORT_LIMIT);
		break;
	case LIFECYCLE_OVER:
		ev_timer_stop(l->loop, &l->limit);
		break;
	}
	l->hooks->entered(l->ctx, next);
}

void
lifecycle_check(struct lifecycle *l)
{
	if (l->phase == LIFECYCLE_QUIET && (l->quiet_by & QUIET_TO_THE_END) &&
	    !l->hooks->at_work(l->ctx))
		enter(l, LIFECYCLE_DRAINING);
	if (l->phase >= LIFECYCLE_DRAINING && l->phase < LIFECYCLE_REPORTING &&
	    !l->hooks->at_work(l->ctx))
		enter(l, LIFECYCLE_REPORTING);
	if (l->phase == LIFECYCLE_REPORTING && !l->hooks->unreported(l->ctx))
		enter(l, LIFECYCLE_OVER);
}

static void
on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct lifecycle *l = w->data;

	(void)loop;
	(void)revents;
	switch (l->phase) {
	case LIFECYCLE_DRAINING:
		log_say(LOG_LEVEL_WARNING, "shutdown",
		    "the grace is over: stopping what still runs");
		enter(l, LIFECYCLE_STOPPING);
		break;
	case LIFECYCLE_STOPPING:
		if (l->hooks->waits != NULL && l->hooks->waits(l->ctx)) {
			set_limit(l, LIFECYCLE_KILL_LIMIT);
			break;
		}
		/* fall through */
	case LIFECYCLE_KILLING:
		log_say(LOG_LEVEL_ERROR, "shutdown",
		    "some programs do not die; leaving them behind");
		enter(l, LIFECYCLE_REPORTING);
		break;
	default:
		enter(l, LIFECYCLE_OVER);
		break;
	}
	lifecycle_check(l);
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct lifecycle *l = w->data;

	(void)loop;
	(void)revents;
	if (w->signum == SIGHUP || w->signum == SIGUSR2) {
		if (l->phase >= LIFECYCLE_DRAINING)
			log_say(LOG_LEVEL_WARNING, "signal",
			    "%s: shutting down, nothing is changed any more",
			    w->signum == SIGHUP ? "HUP" : "USR2");
		else if (w->signum == SIGHUP)
			l->hooks->reload(l->ctx);
		else
			l->hooks->upgrade(l->ctx);
		return;
	}
	if (w->signum == SIGTSTP) {
		lifecycle_quiet(l, QUIET_BY_OPERATOR);
		return;
	}
	log_say(LOG_LEVEL_INFO, "signal", "%s",
	    w->signum == SIGTERM ? "TERM" : "INT");
	if (l->phase == LIFECYCLE_DRAINING)
		enter(l, LIFECYCLE_STOPPING);
	else if (l->phase == LIFECYCLE_STOPPING)
		enter(l, LIFECYCLE_KILLING);
	else
		lifecycle_terminate(l);
	lifecycle_check(l);
}

struct lifecycle *
lifecycle_new(struct ev_loop *loop, const struct lifecycle_times *times,
    const struct lifecycle_hooks *hooks, void *ctx)
{
	struct lifecycle *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->loop = loop;
	l->times = *times;
	l->hooks = hooks;
	l->ctx = ctx;
	ev_timer_init(&l->limit, on_limit, 0., 0.);
	l->limit.data = l;
	for (size_t i = 0; i < NSIGNALS; i++) {
		ev_signal_init(&l->watchers[i], on_signal, signals[i]);
		l->watchers[i].data = l;
		ev_signal_start(loop, &l->watchers[i]);
	}
	/* Its default would end us in the middle of a job. */
	signal(SIGUSR1, SIG_IGN);
	in_child_signals_changed();
	return l;
}

void
lifecycle_free(struct lifecycle *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < NSIGNALS; i++)
		ev_signal_stop(l->loop, &l->watchers[i]);
	ev_timer_stop(l->loop, &l->limit);
	free(l);
}

void
lifecycle_set_times(struct lifecycle *l, const struct lifecycle_times *times)
{
	l->times = *times;
}

enum lifecycle_phase
lifecycle_phase(const struct lifecycle *l)
{
	return l->phase;
}

void
lifecycle_quiet(struct lifecycle *l, unsigned by)
{
	if (l->phase > LIFECYCLE_QUIET || (l->quiet_by | by) == l->quiet_by)
		return;
	l->quiet_by |= by;
	l->phase = LIFECYCLE_QUIET;
	l->hooks->entered(l->ctx, LIFECYCLE_QUIET);
	lifecycle_check(l);
}

unsigned
lifecycle_quiet_by(const struct lifecycle *l)
{
	return l->quiet_by;
}

int
lifecycle_unquiet(struct lifecycle *l)
{
	if (l->phase > LIFECYCLE_QUIET)
		return -ESHUTDOWN;
	if (l->quiet_by & QUIET_BY_SERVER)
		return -EPERM;
	if (l->quiet_by == 0)
		return -EALREADY;
	l->quiet_by = 0;
	l->phase = LIFECYCLE_RUNNING;
	l->hooks->entered(l->ctx, LIFECYCLE_RUNNING);
	return 0;
}

void
lifecycle_terminate(struct lifecycle *l)
{
	enter(l, LIFECYCLE_DRAINING);
	lifecycle_check(l);
}
