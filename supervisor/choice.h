/*
 * choice - which of several servers jobs are fetched from.
 *
 * The first in the list that answers. After a lost conversation they are
 * tried in order from the first on; when none answers the round is repeated
 * with growing rests. While a later one gives the jobs, those before it are
 * looked for every CHOICE_PROBE seconds, and fetching moves to the first that
 * takes our beat. What a server that was left is owed (outcomes, and those of
 * the jobs that still run) is told to it, over the conversation that stays
 * open for that or is taken up again, until the reservations end.
 *
 * For supervisor/supervisor.c: struct supervisor's current, choice.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CHOICE_H
#define SUPERVISOR_CHOICE_H

#include <ev.h>

#include "supervisor/holdoff.h"

/* Seconds between two looks for a server before the current one. */
#define CHOICE_PROBE 15.

struct supervisor;
struct upstream;

struct choice {
	ev_timer probe; /* active while the current one is not the first */
	ev_timer round; /* active after a round in which none answered */
	ev_timer tidy;  /* active when something may have to be ended */
	struct holdoff holdoff;
};

/* Before anything is dialled; the current one is the first. */
void choice_init(struct supervisor *s);
void choice_stop(struct supervisor *s);

/* Dials the current one, and whoever is owed something. */
void choice_start(struct supervisor *s);

/* What an upstream's conversation tells: it is up, our beat was taken, it was
 * lost or could not be had. */
void choice_up(struct upstream *u);
void choice_alive(struct upstream *u);
void choice_down(struct upstream *u);

/* Something was confirmed, answered or ended. */
void choice_settle(struct supervisor *s);

#endif
