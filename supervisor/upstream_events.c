/*
 * upstream_events - what a server's conversations tell, and who hears of it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/upstream_events.h"

#include "base/log.h"
#include "supervisor/event.h"
#include "supervisor/holdings.h"
#include "supervisor/inside.h"

/* Once in a life: with a server or without, jobs can come from now on. */
static void
tell_ready(struct supervisor *s)
{
	if (!notify_is_ready(s->notify))
		event_say(LOG_LEVEL_INFO, EVENT_READY, "ready",
		    "faktotum %s is up as wid=%s", FAKTOTUM_VERSION,
		    s->current->who.wid);
	notify_ready(s->notify);
}

static void
on_up(void *ctx)
{
	struct upstream *u = ctx;
	struct supervisor *s = u->owner;

	log_say(LOG_LEVEL_INFO, "server", "%s: connected as wid=%s",
	    u->who.shown, u->who.wid);
	metrics_connected(s->metrics);
	choice_up(u);
	/* It is there and takes our password: nobody else need wait for that. */
	fetch_hurry(u->fetch);
	heartbeat_up(u->heartbeat);
	report_up(u->report);
	tell_ready(s);
	notify_look(s->notify);
}

static void
on_down(void *ctx)
{
	struct upstream *u = ctx;

	heartbeat_down(u->heartbeat);
	tell_ready(u->owner);
	choice_down(u);
	notify_look(u->owner->notify);
}

static const struct client_hooks client_hooks = { on_up, on_down };

static void
on_alive(void *ctx)
{
	struct upstream *u = ctx;

	choice_alive(u);
	fetch_poke(u->owner->current->fetch);
	notify_look(u->owner->notify);
}

static void
on_told(void *ctx, enum worker_state state)
{
	struct supervisor *s = ((struct upstream *)ctx)->owner;

	if (state == WORKER_TERMINATE)
		lifecycle_terminate(s->lifecycle);
	else
		lifecycle_quiet(s->lifecycle, QUIET_BY_SERVER);
}

/* What we do not have any more needs no ending. */
static void
on_taken(void *ctx, const char *jid, bool lost)
{
	struct upstream *u = ctx;

	(void)dispatch_cancel_of(u->owner->dispatch, u->number, jid,
	    lost ? CANCEL_LOST : CANCEL_SERVER);
}

static const struct heartbeat_hooks heartbeat_hooks = { on_alive, on_told,
	on_taken };

/*
 * What a server that was left may still send has its places, whatever queue
 * it comes from.
 */
static size_t
besides(const struct upstream *u, size_t room)
{
	const struct supervisor *s = u->owner;
	size_t wanted =
	    upstream_wanted_elsewhere(s->upstreams, s->nupstreams, u);

	if (room == SIZE_MAX)
		return room;
	return room > wanted ? room - wanted : 0;
}

static size_t
on_room(void *ctx)
{
	const struct upstream *u = ctx;
	const struct supervisor *s = u->owner;

	if (u != s->current || s->introduce || s->handing_over ||
	    lifecycle_phase(s->lifecycle) != LIFECYCLE_RUNNING ||
	    !heartbeat_alive(u->heartbeat) || report_full(u->report) ||
	    holdings_are_told(s))
		return 0;
	return besides(u, dispatch_room(s->dispatch));
}

static size_t
on_places(void *ctx, const char *queue)
{
	const struct upstream *u = ctx;

	return besides(u, dispatch_places(u->owner->dispatch, queue));
}

static size_t
on_sure(void *ctx, const char *queue)
{
	const struct upstream *u = ctx;

	return besides(u, dispatch_sure(u->owner->dispatch, queue));
}

/* Others may have waited for what this one still owed. */
static void
poke_others(struct upstream *u)
{
	if (u != u->owner->current)
		fetch_poke(u->owner->current->fetch);
	else
		holdings_tell_left(u->owner);
}

/* Nothing that was asked before can bring their jobs any more. */
static void
forget_confirmed(struct upstream *u)
{
	report_forget(u->report, fetch_asked_since(u->fetch));
}

static bool
on_got(void *ctx, const char *bytes, size_t len, int64_t asked_at)
{
	struct upstream *u = ctx;

	bool is_one =
	    dispatch_take(u->owner->dispatch, u->number, bytes, len, asked_at);

	forget_confirmed(u);
	poke_others(u);
	return is_one;
}

static void
on_none(void *ctx)
{
	struct upstream *u = ctx;
	struct supervisor *s = u->owner;

	forget_confirmed(u);
	poke_others(u);
	choice_settle(s);
	lifecycle_check(s->lifecycle);
}

static int
on_held(void *ctx, struct buf *line)
{
	return holdings_put(ctx, line);
}

static bool
on_crowded(void *ctx)
{
	return dispatch_is_crowded(((struct upstream *)ctx)->owner->dispatch);
}

static void
on_waited(void *ctx)
{
	report_hurry(((struct upstream *)ctx)->report);
}

static const struct fetch_hooks fetch_hooks = { on_room, on_places, on_sure,
	on_got, on_none, on_held, on_crowded, on_waited };

static void
on_settled(void *ctx)
{
	struct upstream *u = ctx;

	forget_confirmed(u);
	supervisor_progress(u->owner);
}

const struct upstream_hooks upstream_events = { &client_hooks, &heartbeat_hooks,
	&fetch_hooks, on_settled };
