/*
 * gather - counts who is at it, and learns whether holding pays.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/gather.h"

enum {
	CROWD_MIN = 3,  /* fewer take turns well enough */
	DISTRUST = 64,  /* batches, after holding brought nobody in */
	SMOOTH = 8,     /* the newest commit counts for one eighth */
	HOLD_SHARE = 2, /* hold for at most half of what a commit takes */
};

/* However slow the disk: a client waits no longer for the others. */
#define HOLD_MAX INT64_C(500000)

void
gather_asked(struct gather *g)
{
	g->asked++;
}

bool
gather_holds(struct gather *g, int64_t now)
{
	if (g->until == 0)
		return false;
	if (g->asked < g->crowd && now < g->until)
		return true;

	/* It paid when a quarter of the crowd came in. */
	if ((g->asked - g->had) * 4 < g->crowd)
		g->distrust = DISTRUST;
	g->until = 0;
	return false;
}

void
gather_sent(struct gather *g, int64_t now)
{
	g->in_flight = g->asked;
	g->asked = 0;
	g->sent_at = now;
	g->until = 0;
}

void
gather_answered(struct gather *g, int64_t now)
{
	int64_t hold;

	g->commit += (now - g->sent_at - g->commit) / SMOOTH;
	g->crowd = g->in_flight + g->asked;
	g->in_flight = 0;
	if (g->distrust > 0) {
		g->distrust--;
		return;
	}
	if (g->crowd < CROWD_MIN)
		return;
	hold = g->commit / HOLD_SHARE;
	g->until = now + (hold < HOLD_MAX ? hold : HOLD_MAX);
	g->had = g->asked;
}
