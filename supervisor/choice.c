/*
 * choice - which of several servers jobs are fetched from.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/choice.h"

#include "base/log.h"
#include "supervisor/inside.h"
#include "supervisor/joblist.h"

/* Whether its conversation is needed although jobs come from elsewhere. */
static bool
is_owed(const struct upstream *u)
{
	return report_waiting(u->report) > 0 || fetch_in_flight(u->fetch) > 0 ||
	    fetch_owes_word(u->fetch) ||
	    joblist_count(u->owner->dispatch, u->number) > 0;
}

static void
set_current(struct supervisor *s, struct upstream *u)
{
	s->current = u;
	if (u->number == 0)
		ev_timer_stop(s->loop, &s->choice.probe);
	else if (!ev_is_active(&s->choice.probe))
		ev_timer_again(s->loop, &s->choice.probe);
	choice_settle(s);
}

/* Looks for those before the current one. */
static void
on_probe(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct supervisor *s = w->data;

	(void)loop;
	(void)revents;
	for (size_t i = 0; i < s->current->number; i++)
		client_hurry(s->upstreams[i].client);
}

static void
on_round(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct supervisor *s = w->data;

	(void)loop;
	(void)revents;
	client_hurry(s->current->client);
}

/* Ends what nobody needs any more: not from within a hook of its own. */
static void
on_tidy(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct supervisor *s = w->data;

	(void)loop;
	(void)revents;
	for (size_t i = 0; i < s->nupstreams; i++) {
		struct upstream *u = &s->upstreams[i];

		if (u == s->current)
			continue;
		if (fetch_in_flight(u->fetch) == 0 &&
		    !fetch_owes_word(u->fetch))
			fetch_hang_up(u->fetch);
		/* One before it may just be on its way to become current. */
		if (i > s->current->number && !is_owed(u))
			client_end(u->client);
	}
}

void
choice_settle(struct supervisor *s)
{
	if (s->nupstreams > 1 && !ev_is_active(&s->choice.tidy)) {
		ev_timer_set(&s->choice.tidy, 0., 0.);
		ev_timer_start(s->loop, &s->choice.tidy);
	}
}

void
choice_init(struct supervisor *s)
{
	struct choice *c = &s->choice;

	s->current = &s->upstreams[0];
	c->holdoff = (struct holdoff){ .first = 1., .most = 30. };
	ev_timer_init(&c->probe, on_probe, 0., CHOICE_PROBE);
	ev_timer_init(&c->round, on_round, 0., 0.);
	ev_timer_init(&c->tidy, on_tidy, 0., 0.);
	c->probe.data = c->round.data = c->tidy.data = s;
}

void
choice_stop(struct supervisor *s)
{
	ev_timer_stop(s->loop, &s->choice.probe);
	ev_timer_stop(s->loop, &s->choice.round);
	ev_timer_stop(s->loop, &s->choice.tidy);
}

void
choice_start(struct supervisor *s)
{
	for (size_t i = 0; i < s->nupstreams; i++)
		if (&s->upstreams[i] == s->current || is_owed(&s->upstreams[i]))
			client_start(s->upstreams[i].client);
}

void
choice_up(struct upstream *u)
{
	u->was_up = true;
	u->owner->choice.holdoff.fails = 0;
}

void
choice_alive(struct upstream *u)
{
	struct supervisor *s = u->owner;
	struct upstream *before = s->current;

	if (u->number >= before->number)
		return;
	ev_timer_stop(s->loop, &s->choice.round);
	set_current(s, u);
	log_say(LOG_LEVEL_INFO, "server",
	    "%s answers again: jobs are fetched there; %zu of %s go on and "
	    "are reported there",
	    u->who.shown, joblist_count(s->dispatch, before->number),
	    before->who.shown);
}

/* The current one does not answer: who is next? */
static void
move_on(struct upstream *u)
{
	struct supervisor *s = u->owner;
	size_t n = s->nupstreams;
	struct upstream *next =
	    &s->upstreams[u->was_up ? 0 : (u->number + 1) % n];
	bool failed = !u->was_up && next->number == 0;

	u->was_up = false;
	if (next == u)
		return; /* it comes back by itself */
	if (!is_owed(u))
		client_end(u->client);
	set_current(s, next);
	if (failed) {
		ev_timer_stop(s->loop, &s->choice.round);
		ev_timer_set(
		    &s->choice.round, holdoff_next(&s->choice.holdoff), 0.);
		ev_timer_start(s->loop, &s->choice.round);
		return;
	}
	log_say(LOG_LEVEL_INFO, "server", "%s: trying this one, number %zu",
	    next->who.shown, next->number + 1);
	client_hurry(next->client);
}

void
choice_down(struct upstream *u)
{
	struct supervisor *s = u->owner;

	/* It is being dialled anew because we want that. */
	if (s->nupstreams == 1 || client_idle(u->client))
		return;
	if (u == s->current)
		move_on(u);
	else if (!is_owed(u))
		client_end(u->client);
	u->was_up = false;
}
