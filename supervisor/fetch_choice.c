/*
 * fetch_choice - how many jobs to ask for, and from which queues.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/extension.h"
#include "protocol/fetchb.h"
#include "supervisor/fetch_parts.h"

/* How many jobs of this queue the questions in flight may bring. */
static size_t
asked_for(const struct fetch *f, size_t queue)
{
	size_t n = 0;

	for (size_t i = 0; i < FETCH_LINES; i++) {
		const struct line *l = &f->lines[i];

		n += l->any_queue || l->most[queue] > l->wanted
		    ? l->wanted
		    : l->most[queue];
	}
	return n;
}

static size_t
minus(size_t most, size_t taken)
{
	return most == SIZE_MAX ? SIZE_MAX : most > taken ? most - taken : 0;
}

bool
fetch_choose_queues(const struct fetch *f, size_t *most)
{
	bool any = false;

	for (size_t i = 0; i < fetch_order_count(f->order); i++) {
		const char *queue = fetch_order_queue(f->order, i);

		most[i] = f->hooks->places == NULL
		    ? SIZE_MAX
		    : minus(f->hooks->places(f->ctx, queue), asked_for(f, i));
		any = any || most[i] > 0;
	}
	return any;
}

size_t
fetch_choose_jobs(const struct fetch *f, const struct line *l,
    const size_t *most, size_t room)
{
	size_t n = room - f->wanted;

	if ((client_extensions(l->client) & EXTENSION_FETCHB) == 0)
		return 1;
	if (n > FETCHB_JOBS_MAX)
		n = FETCHB_JOBS_MAX;
	for (size_t i = 0; i < fetch_order_count(f->order); i++) {
		size_t sure = most[i] == 0 || f->hooks->sure == NULL
		    ? SIZE_MAX
		    : f->hooks->sure(f->ctx, fetch_order_queue(f->order, i));

		sure = minus(sure, f->wanted);
		if (n > sure)
			n = sure;
	}
	return n > 0 ? n : 1;
}
