/*
 * gate - one timer for all breakers and all who wait for them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/gate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/invocation.h"
#include "supervisor/metrics.h"
#include "supervisor/places.h"
#include "supervisor/scratch.h"

static const char unavailable[] = "HandlerUnavailable";

bool
gate_is_open(const struct dispatch *d, const struct lane *lane)
{
	return !d->closed && !d->paused && !lane_is_full(lane) &&
	    breaker_lets(&lane->breaker);
}

static bool
is_waiting(const struct task *t)
{
	return t->run == NULL && t->patience > 0 &&
	    t->lane->breaker.state != BREAKER_CLOSED;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When something has to be done about this breaker. */
static int64_t
due(const struct breaker *b)
{
	return b->state == BREAKER_OPEN ? b->until : breaker_trusts_at(b);
}

/* When the next breaker is due, or the next job has waited long enough. */
static void
schedule(struct dispatch *d)
{
	const struct task *t;
	int64_t first = INT64_MAX, now = clock_mono();

	d->broken = 0;
	for (size_t i = 0; i < d->lanes.generation->settings->nhandlers; i++) {
		const struct breaker *b = &d->lanes.of[i]->breaker;

		d->broken += b->state != BREAKER_CLOSED;
		first = earlier(first, due(b));
	}
	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (is_waiting(t))
			first = earlier(first,
			    earlier(t->patience, due(&t->lane->breaker)));
	ev_timer_stop(d->parts.loop, &d->gate);
	if (first == INT64_MAX || d->paused)
		return;
	ev_now_update(d->parts.loop);
	ev_timer_set(
	    &d->gate, first > now ? (double)(first - now) / 1e9 : 0., 0.);
	ev_timer_start(d->parts.loop, &d->gate);
}

static void
on_too_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct task *t = w->data;
	struct lane *lane = t->lane;

	(void)loop;
	(void)revents;
	gate_unhold(t);
	dispatch_refuse(t, "Timeout",
	    "its handler was busy until the reservation was about to end");
	lane_settle(lane);
}

static void
put(struct task *t, bool first)
{
	struct dispatch *d = t->dispatch;
	int64_t left = t->when.latest - clock_mono();

	if (first)
		TAILQ_INSERT_HEAD(&t->lane->held, t, queued);
	else
		TAILQ_INSERT_TAIL(&t->lane->held, t, queued);
	d->held++;
	ev_timer_init(
	    &t->too_late, on_too_late, left > 0 ? (double)left / 1e9 : 0., 0.);
	t->too_late.data = t;
	ev_timer_start(d->parts.loop, &t->too_late);
}

void
gate_hold(struct task *t)
{
	put(t, false);
}

void
gate_unhold(struct task *t)
{
	struct dispatch *d = t->dispatch;

	TAILQ_REMOVE(&t->lane->held, t, queued);
	ev_timer_stop(d->parts.loop, &t->too_late);
	d->held--;
}

static bool
too_many_wait(const struct dispatch *d, size_t more)
{
	return (d->held + more) * 4 >
	    (size_t)d->lanes.generation->settings->concurrency;
}

/* Whether one more may wait for this job's breaker. */
static bool
may_wait(const struct task *t)
{
	int64_t hold = t->lane->how->breaker.hold;

	if (t->dispatch->closed || t->lost || hold == 0 ||
	    t->lane->breaker.state == BREAKER_CLOSED ||
	    too_many_wait(t->dispatch, 1))
		return false;
	return t->patience == 0 || clock_mono() < t->patience;
}

static void
begin_to_wait(struct task *t)
{
	if (t->patience == 0)
		t->patience = clock_mono() + t->lane->how->breaker.hold;
}

/*
 * Whether it can go back to the server without coming again at once: its queue
 * is left alone here.
 */
static bool
may_return(const struct task *t)
{
	const struct dispatch *d = t->dispatch;

	return t->lane->breaker.state != BREAKER_CLOSED &&
	    report_takes_back(d->parts.reports[t->server]) &&
	    places_by_breakers(d, t->queue) == 0;
}

/* It will not wait any longer; it is in no lane's list. */
static void
give_up(struct task *t)
{
	struct lane *lane = t->lane;
	char message[BREAKER_REASON_MAX + 64];
	bool last = job_attempt(&t->job) >= job_max_attempts(&t->job);

	snprintf(message, sizeof message, "its breaker is open: %s",
	    lane->breaker.reason);
	if (may_return(t)) {
		dispatch_give_back(t, unavailable, message);
	} else if (last && !t->tried && !t->dispatch->paused &&
	    !t->dispatch->closed && !lane_is_full(lane)) {
		t->tried = true;
		dispatch_start(t);
	} else {
		dispatch_refuse(t, unavailable, message);
	}
}

void
gate_admit(struct task *t)
{
	struct dispatch *d = t->dispatch;

	if (dispatch_still_ends(t)) {
		job_log_say(&t->output.log, LOG_LEVEL_INFO, NULL,
		    "has come again; waits for the end of its last run here");
		gate_hold(t);
	} else if (gate_is_open(d, t->lane)) {
		dispatch_start(t);
	} else if (d->paused || breaker_lets(&t->lane->breaker)) {
		gate_hold(t);
	} else if (may_wait(t)) {
		begin_to_wait(t);
		gate_hold(t);
		schedule(d);
	} else {
		give_up(t);
	}
}

static void __attribute__((format(printf, 3, 4)))
say(enum log_level level, const struct lane *lane, const char *fmt, ...)
{
	const struct log_tag tag = { "type", lane->how->jobtype };
	char words[BREAKER_REASON_MAX + 256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof words, fmt, args);
	va_end(args);
	log_tagged(level, &tag, 1, "breaker %s", words);
}

/* Those who wait for a place wait for the breaker from now on; the newest of
 * them go when they are too many. */
static void
opened(struct dispatch *d, struct lane *lane)
{
	struct task *t;

	say(LOG_LEVEL_WARNING, lane, "open: %s; one job is tried in %.1f s",
	    lane->breaker.reason, (double)lane->breaker.cooldown / 1e9);
	for (t = TAILQ_FIRST(&lane->held); t != NULL; t = TAILQ_NEXT(t, queued))
		begin_to_wait(t);
	while (!d->paused && too_many_wait(d, 0) &&
	    (t = TAILQ_LAST(&lane->held, tasks)) != NULL) {
		gate_unhold(t);
		give_up(t);
	}
}

static void
closed(struct lane *lane, const char *why)
{
	struct task *t;

	say(LOG_LEVEL_INFO, lane, "closed: %s", why);
	for (t = TAILQ_FIRST(&lane->held); t != NULL; t = TAILQ_NEXT(t, queued))
		t->patience = 0;
}

/* Too many arguments are the job's doing; that we have too little of
 * something is no handler's. */
static bool
is_not_its_fault(int errnum)
{
	static const int others[] = { E2BIG, EMFILE, ENFILE, EAGAIN, ENOMEM,
		ENOBUFS };

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (errnum == others[i])
			return true;
	return false;
}

static enum breaker_sign
sign_of(const struct task *t, const struct run_facts *facts,
    const struct verdict *v)
{
	if (t->lost || facts->reason == RUN_SHUTDOWN ||
	    facts->reason == RUN_CANCELLED || facts->reason == RUN_LOST)
		return BREAKER_NO_SIGN;
	if (v->kind == VERDICT_DONE || v->kind == VERDICT_DISCARD)
		return BREAKER_WORKS;
	if (!facts->started && is_not_its_fault(facts->why.errnum))
		return BREAKER_NO_SIGN;
	return strcmp(v->errtype, unavailable) == 0 ? BREAKER_UNAVAILABLE
						    : BREAKER_FAILS;
}

/* began: it could at least be tried. */
static void
note(struct task *t, struct breaker_note *n, bool began)
{
	struct dispatch *d = t->dispatch;
	struct lane *lane = t->lane;

	n->probe = t->probe;
	t->probe = false;
	enum breaker_event event =
	    breaker_note(&lane->breaker, &lane->how->breaker, n, clock_mono());
	if (event == BREAKER_STAYS) {
		/* Else it would be tried again and again until there is room. */
		if (!began && breaker_rest(&lane->breaker, clock_mono()))
			schedule(d);
		return;
	}
	if (event == BREAKER_OPENS)
		opened(d, lane);
	else
		closed(lane, "its jobs work again");
	schedule(d);
}

void
gate_note(
    struct task *t, const struct run_facts *facts, const struct verdict *v)
{
	struct breaker_note n = { .sign = sign_of(t, facts, v),
		.errtype = v->errtype,
		.message = v->message };

	note(t, &n, facts->started || facts->reason != RUN_BY_ITSELF);
}

bool
gate_takes_back(struct task *t, const char *why)
{
	struct dispatch *d = t->dispatch;

	if (!may_wait(t) && !t->dispatch->closed && !t->lost && may_return(t)) {
		metrics_not_started(d->parts.metrics, &t->job);
		dispatch_give_back(t, unavailable, why);
		return true;
	}
	if (!may_wait(t))
		return false;
	begin_to_wait(t);
	if (t->dir != NULL)
		scratch_remove(d->parts.scratch, t->dir);
	t->dir = NULL; /* taken */
	task_rewind(t);
	metrics_not_started(d->parts.metrics, &t->job);
	job_log_say(&t->output.log, LOG_LEVEL_WARNING, NULL,
	    "%s: %s; waits up to %.1f s for its breaker", unavailable, why,
	    (double)(t->patience - clock_mono()) / 1e9);
	put(t, true);
	schedule(d);
	return true;
}

void
gate_unavailable(struct task *t, int errnum, const char *why)
{
	struct breaker_note n = { .sign = is_not_its_fault(errnum)
		    ? BREAKER_NO_SIGN
		    : BREAKER_UNAVAILABLE,
		.errtype = unavailable,
		.message = why };

	note(t, &n, false);
	if (!gate_takes_back(t, why))
		dispatch_refuse(t, unavailable, why);
}

void
gate_begin(struct task *t)
{
	t->probe = breaker_begin(&t->lane->breaker, clock_mono());
	if (t->probe)
		schedule(t->dispatch);
}

static struct task *
find_probe(const struct dispatch *d, const struct lane *lane)
{
	struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (t->probe && t->lane == lane)
			return t;
	return NULL;
}

/* What could not be started runs. */
static void
trust(struct dispatch *d, struct lane *lane)
{
	struct breaker_note works = { .sign = BREAKER_WORKS };
	struct task *t = find_probe(d, lane);

	if (t != NULL && t->run != NULL && run_pid(t->run) != 0)
		note(t, &works, true);
	else
		breaker_wait_more(&lane->breaker, clock_mono());
}

/* A breaker that is due lets one job through, or is closed by the one that it
 * let through. */
static void
turn(struct dispatch *d, struct lane *lane)
{
	int64_t now = clock_mono();

	if (breaker_turn(&lane->breaker, now))
		say(LOG_LEVEL_INFO, lane, "tries one job");
	else if (breaker_trusts_at(&lane->breaker) <= now)
		trust(d, lane);
	else
		return;
	dispatch_start_next(d, lane);
	lane_settle(lane);
}

/* One whose lane is due though no settings name it any more, or who has
 * waited long enough. */
static struct task *
overdue(const struct dispatch *d, int64_t now)
{
	struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (is_waiting(t) && !d->paused &&
		    (t->patience <= now ||
			(t->lane->closed && due(&t->lane->breaker) <= now)))
			return t;
	return NULL;
}

static void
on_time(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct dispatch *d = w->data;
	int64_t now = clock_mono();
	struct task *t;

	(void)loop;
	(void)revents;
	for (size_t i = 0; i < d->lanes.generation->settings->nhandlers; i++)
		turn(d, d->lanes.of[i]);
	while ((t = overdue(d, now)) != NULL) {
		struct lane *lane = t->lane;

		if (t->patience > now) {
			turn(d, lane);
			continue;
		}
		gate_unhold(t);
		give_up(t);
		lane_settle(lane);
	}
	schedule(d);
	d->ended(d->ctx);
}

void
gate_init(struct dispatch *d)
{
	ev_timer_init(&d->gate, on_time, 0., 0.);
	d->gate.data = d;
}

void
gate_stop(struct dispatch *d)
{
	ev_timer_stop(d->parts.loop, &d->gate);
}

void
gate_renew(struct dispatch *d)
{
	for (size_t i = 0; i < d->lanes.generation->settings->nhandlers; i++) {
		struct lane *lane = d->lanes.of[i];

		if (breaker_reset(&lane->breaker, &lane->how->breaker))
			closed(lane, "it is switched off");
	}
	schedule(d);
}
