/*
 * due - what happens by itself when its time has come.
 *
 * Scheduled jobs and retries go to their queues, the dead are buried after
 * their time, reservations expire. Each set has an alarm of its own, set to
 * the exact time of its first member, so that none of them can delay another.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>

#include "base/clock.h"
#include "server/op.h"

/*
 * Moved at once, for what a client asks meanwhile waits for their commit too:
 * measured by tests/bench/promotion.
 */
enum { MOVING_MAX = 100 };

#define SWEEP 60.0 /* seconds */

static void
set_alarm(struct set *s, int64_t when)
{
	ev_periodic_stop(s->jobs->loop, &s->alarm);
	ev_periodic_set(
	    &s->alarm, (double)when / (double)CLOCK_NS_PER_S, 0., NULL);
	ev_periodic_start(s->jobs->loop, &s->alarm);
}

void
due_changed(struct set *s)
{
	struct agenda_item *first = agenda_first(s->agenda);

	if (s->jobs->store == NULL)
		return;
	if (first == NULL || s->moving > 0) {
		/* The last of those under way looks again. */
		ev_periodic_stop(s->jobs->loop, &s->alarm);
		return;
	}
	int64_t when = first->when;
	if (when < s->jobs->not_before)
		when = s->jobs->not_before;
	if (!ev_is_active(&s->alarm) ||
	    s->alarm.offset != (double)when / (double)CLOCK_NS_PER_S)
		set_alarm(s, when);
}

static void
moved(void *ctx, int result, const struct err *why)
{
	struct set *s = ctx;

	(void)why;
	if (result == 0)
		s->task.moved++;
	if (--s->moving == 0)
		due_changed(s);
}

static void
on_alarm(struct ev_loop *loop, ev_periodic *w, int revents)
{
	struct set *s = w->data;
	struct jobs *j = s->jobs;
	int64_t now = clock_wall(), began = clock_mono();
	struct agenda_item *first;

	(void)loop;
	(void)revents;
	s->task.cycles++;
	while (s->moving < MOVING_MAX &&
	    (first = agenda_first(s->agenda)) != NULL && first->when <= now) {
		struct entry *e = entry_of_timer(first);
		agenda_remove(s->agenda, first);
		e->moving = true;
		s->out++;
		enum jobs_move what =
		    s->which == SET_DEAD ? MOVE_DISCARD : MOVE_REQUEUE;
		s->moving++;
		if (jobs_move(j, e, what, moved, s) < 0) {
			s->moving--;
			jobs_put_back(j, e);
			j->not_before = now + CLOCK_NS_PER_S;
			break;
		}
	}
	s->task.seconds +=
	    (double)(clock_mono() - began) / (double)CLOCK_NS_PER_S;
	due_changed(s);
}

void
due_reservations_changed(struct jobs *j)
{
	struct entry *first = reservations_first(j->reservations);

	if (first == NULL || j->store == NULL) {
		ev_timer_stop(j->loop, &j->reaper);
		return;
	}
	/* Set a little late rather than early: expiry is a last resort. */
	double wait =
	    (double)(first->timer.when - clock_mono()) / (double)CLOCK_NS_PER_S;
	if (ev_is_active(&j->reaper) &&
	    ev_timer_remaining(j->loop, &j->reaper) <= wait)
		return;
	ev_timer_stop(j->loop, &j->reaper);
	ev_timer_set(&j->reaper, wait > 0. ? wait + 1e-3 : 1e-3, 0.);
	ev_timer_start(j->loop, &j->reaper);
}

static void
on_reaper(struct ev_loop *loop, ev_timer *w, int revents)
{
	static char errtype[] = "ReservationExpired";
	static char message[] = "Faktory job reservation expired";
	struct jobs *j = w->data;
	struct fail_report expired = {
		.errtype = errtype,
		.message = message,
	};
	struct entry *e;
	int n = 0;

	(void)loop;
	(void)revents;
	while ((e = reservations_first(j->reservations)) != NULL &&
	    e->timer.when <= clock_mono() && n++ < MOVING_MAX) {
		if (clock_wall() < j->not_before ||
		    jobs_settle_failed(j, e->held, &expired, NULL, NULL) < 0) {
			ev_timer_set(&j->reaper, 1., 0.);
			ev_timer_start(j->loop, &j->reaper);
			return;
		}
		jobs_tell_lost(j, e->held);
		j->reaped++;
	}
	due_reservations_changed(j);
}

static void
on_sweep(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct jobs *j = w->data;

	(void)loop;
	(void)revents;
	news_expire(j->news, clock_wall());
	results_expire(j->results);
}

int
due_init(struct jobs *j)
{
	for (int i = 0; i < JOBS_SETS; i++) {
		struct set *s = &j->sets[i];

		s->jobs = j;
		s->which = (enum jobs_set)i;
		s->agenda = agenda_new(entry_order);
		if (s->agenda == NULL)
			return -ENOMEM;
		ev_periodic_init(&s->alarm, on_alarm, 0., 0., NULL);
		s->alarm.data = s;
	}
	ev_timer_init(&j->reaper, on_reaper, 0., 0.);
	j->reaper.data = j;
	ev_timer_init(&j->sweep, on_sweep, SWEEP, SWEEP);
	j->sweep.data = j;
	return 0;
}

void
due_start(struct jobs *j)
{
	for (int i = 0; i < JOBS_SETS; i++)
		due_changed(&j->sets[i]);
	due_reservations_changed(j);
	ev_timer_start(j->loop, &j->sweep);
}

void
due_free(struct jobs *j)
{
	for (int i = 0; i < JOBS_SETS; i++) {
		ev_periodic_stop(j->loop, &j->sets[i].alarm);
		agenda_free(j->sets[i].agenda);
	}
	ev_timer_stop(j->loop, &j->reaper);
	ev_timer_stop(j->loop, &j->sweep);
}
