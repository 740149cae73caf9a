/*
 * counters - totals and today's numbers, written when they have moved.
 *
 * On disk: "processed", "failures", and "processed:2026-11-23" for each day.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/counters.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"

enum { DAY_LEN = 10, NAME_MAX_LEN = 32 };

static const char *const names[COUNT_KINDS] = { "processed", "failures" };

struct counter {
	int64_t value;
	bool moved;
};

struct counters {
	char day[DAY_LEN + 1]; /* UTC */
	struct counter total[COUNT_KINDS];
	struct counter today[COUNT_KINDS];
	int64_t begun[COUNT_KINDS]; /* within the values, not yet written */
	bool refused;               /* the last writing, by the disk */
};

static void
current_day(char day[DAY_LEN + 1])
{
	char now[TIMESTAMP_MAX];

	timestamp_format(clock_wall(), now);
	memcpy(day, now, DAY_LEN);
	day[DAY_LEN] = '\0';
}

static void
start_day(struct counters *cs, const char *day)
{
	memcpy(cs->day, day, sizeof cs->day);
	for (int k = 0; k < COUNT_KINDS; k++) {
		cs->today[k].value = 0;
		cs->today[k].moved = false;
	}
}

struct counters *
counters_new(void)
{
	struct counters *cs = calloc(1, sizeof *cs);
	char day[DAY_LEN + 1];

	if (cs == NULL)
		return NULL;
	current_day(day);
	start_day(cs, day);
	return cs;
}

void
counters_free(struct counters *cs)
{
	free(cs);
}

void
counters_load(struct counters *cs, const char *name, int64_t value)
{
	for (int k = 0; k < COUNT_KINDS; k++) {
		size_t len = strlen(names[k]);

		if (strncmp(name, names[k], len) != 0)
			continue;
		if (name[len] == '\0')
			cs->total[k].value = value;
		else if (name[len] == ':' &&
		    strcmp(name + len + 1, cs->day) == 0)
			cs->today[k].value = value;
	}
}

static void
move(struct counter *c, int64_t n)
{
	c->value += n;
	c->moved = true;
}

void
counters_begin(struct counters *cs, enum counter_kind kind)
{
	move(&cs->total[kind], 1);
	move(&cs->today[kind], 1);
	cs->begun[kind]++;
}

void
counters_end(struct counters *cs, enum counter_kind kind, bool is_true)
{
	cs->begun[kind]--;
	if (is_true)
		return;
	move(&cs->total[kind], -1);
	if (cs->today[kind].value > 0) /* it may have been yesterday's */
		move(&cs->today[kind], -1);
}

int64_t
counters_total(const struct counters *cs, enum counter_kind kind)
{
	return cs->total[kind].value - cs->begun[kind];
}

/* One writing of one counter; several may be on their way. */
struct writing {
	struct store_change change;
	struct counters *all;
	struct counter *counter;
	char name[NAME_MAX_LEN];
};

static void
written(struct store_change *change, int result, const struct err *why)
{
	struct writing *w = change->ctx;

	(void)why;
	w->all->refused = result < 0;
	if (result < 0)
		w->counter->moved = true;
	free(w);
}

static void
write_one(struct counters *cs, struct counter *c, struct store *store,
    const char *name, const char *day)
{
	struct writing *w = c->moved ? calloc(1, sizeof *w) : NULL;

	if (w == NULL)
		return; /* short of memory: with the next batch */
	snprintf(w->name, sizeof w->name, "%s%s%s", name,
	    day != NULL ? ":" : "", day != NULL ? day : "");
	w->all = cs;
	w->counter = c;
	w->change.kind = STORE_COUNT;
	w->change.name = w->name;
	w->change.value = c->value;
	w->change.done = written;
	w->change.ctx = w;
	c->moved = false;
	store_add(store, &w->change);
}

void
counters_write(struct counters *cs, struct store *store, bool last)
{
	char day[DAY_LEN + 1];

	if (cs->refused && !last && !store_is_open(store))
		return;
	for (int k = 0; k < COUNT_KINDS; k++) {
		write_one(cs, &cs->total[k], store, names[k], NULL);
		write_one(cs, &cs->today[k], store, names[k], cs->day);
	}

	/* A new day starts when the old one's last numbers are handed over. */
	current_day(day);
	if (strcmp(day, cs->day) != 0 && !cs->today[COUNT_PROCESSED].moved &&
	    !cs->today[COUNT_FAILURES].moved)
		start_day(cs, day);
}

void
counters_clear(struct counters *cs)
{
	for (int k = 0; k < COUNT_KINDS; k++) {
		cs->total[k].value = cs->today[k].value = cs->begun[k];
		cs->total[k].moved = cs->today[k].moved = false;
	}
}
