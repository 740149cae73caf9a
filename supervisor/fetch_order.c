/*
 * fetch_order - one FETCH or FETCHB line, in the order of this draw.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/fetch_order.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/fetchb.h"
#include "supervisor/chance.h"

struct fetch_order {
	const struct settings *settings;
	size_t *drawn; /* indexes of queues, in the order of the last draw */
	size_t *dealt; /* how many jobs each queue may give, by its weight */
};

struct fetch_order *
fetch_order_new(const struct settings *s)
{
	struct fetch_order *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->settings = s;
	o->drawn = calloc(s->nqueues + 1, sizeof *o->drawn);
	o->dealt = calloc(s->nqueues + 1, sizeof *o->dealt);
	if (o->drawn == NULL || o->dealt == NULL) {
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
	free(o->dealt);
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

/*
 * As so many questions for one job each would: whose name would be the first
 * of how many of them?
 */
static void
deal(struct fetch_order *o, size_t jobs, const size_t *most)
{
	const struct queue_setting *queues = o->settings->queues;
	size_t n = o->settings->nqueues;
	bool weighted = o->settings->queue_order == QUEUES_WEIGHTED && jobs > 1;
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++) {
		o->dealt[i] = weighted ? 0 : jobs;
		total += most[i] > 0 ? (uint64_t)queues[i].weight : 0;
	}
	while (weighted && jobs-- > 0) {
		uint64_t lot = chance_below(total);
		size_t i = 0;

		while (most[i] == 0 || lot >= (uint64_t)queues[i].weight) {
			lot -= most[i] > 0 ? (uint64_t)queues[i].weight : 0;
			i++;
		}
		o->dealt[i]++;
	}
}

/* Those that were dealt something, or those that were not: these may give a
 * job when the others are short of them. */
static int
put_queues(struct fetch_order *o, bool dealt, size_t jobs, const size_t *most,
    struct buf *out)
{
	const struct settings *s = o->settings;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->nqueues; i++) {
		size_t q = o->drawn[i];
		size_t limit = o->dealt[q] > 0 ? o->dealt[q] : 1;

		if (most[q] == 0 || (o->dealt[q] > 0) != dealt)
			continue;
		if (limit > most[q])
			limit = most[q];
		r = fetchb_put_queue(
		    out, s->queues[q].name, limit < jobs ? limit : SIZE_MAX);
	}
	return r;
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
fetch_order_put(
    struct fetch_order *o, size_t jobs, const size_t *most, struct buf *out)
{
	size_t before = buf_len(out);
	int r;

	if (o->settings->queue_order == QUEUES_WEIGHTED)
		draw_lots(o);
	deal(o, jobs, most);

	r = jobs > 1 ? fetchb_put_count(out, jobs) : buf_puts(out, "FETCH");
	if (r == 0)
		r = put_queues(o, true, jobs, most, out);
	if (r == 0)
		r = put_queues(o, false, jobs, most, out);
	if (r == 0)
		r = buf_puts(out, "\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}
