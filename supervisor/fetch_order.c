/*
 * fetch_order - one FETCH line, made once or drawn anew.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch_order.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/chance.h"

struct fetch_order {
	const struct settings *settings;
	size_t *drawn; /* indexes of queues, in the order of the last draw */
};

struct fetch_order *
fetch_order_new(const struct settings *s)
{
	struct fetch_order *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->settings = s;
	o->drawn = calloc(s->nqueues + 1, sizeof *o->drawn);
	if (o->drawn == NULL) {
		free(o);
		return NULL;
	}
	for (size_t i = 0; i < s->nqueues; i++)
		o->drawn[i] = i;
	return o;
}

void
fetch_order_free(struct fetch_order *o)
{
	if (o == NULL)
		return;
	free(o->drawn);
	free(o);
}

/* Draws the next place from those not yet drawn, by weight. */
static void
draw_lots(struct fetch_order *o)
{
	const struct queue_setting *queues = o->settings->queues;
	size_t n = o->settings->nqueues;
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += (uint64_t)queues[i].weight;

	for (size_t place = 0; place + 1 < n; place++) {
		uint64_t lot = chance_below(total);
		size_t i = place;

		while (lot >= (uint64_t)queues[o->drawn[i]].weight)
			lot -= (uint64_t)queues[o->drawn[i++]].weight;

		size_t winner = o->drawn[i];
		o->drawn[i] = o->drawn[place];
		o->drawn[place] = winner;
		total -= (uint64_t)queues[winner].weight;
	}
}

size_t
fetch_order_count(const struct fetch_order *o)
{
	return o->settings->nqueues;
}

const char *
fetch_order_queue(const struct fetch_order *o, size_t i)
{
	return o->settings->queues[i].name;
}

int
fetch_order_put(struct fetch_order *o, const bool *with, struct buf *out)
{
	const struct settings *s = o->settings;
	size_t before = buf_len(out);
	int r;

	if (s->queue_order == QUEUES_WEIGHTED)
		draw_lots(o);

	r = buf_puts(out, "FETCH");
	for (size_t i = 0; r == 0 && i < s->nqueues; i++) {
		if (!with[o->drawn[i]])
			continue;
		r = buf_putc(out, ' ');
		if (r == 0)
			r = buf_puts(out, s->queues[o->drawn[i]].name);
	}
	if (r == 0)
		r = buf_puts(out, "\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}
