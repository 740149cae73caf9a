/*
 * places - breakers and limits, seen from a queue.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/places.h"

#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#include "supervisor/dispatch_inside.h"

static const struct queue_setting *
find(const struct dispatch *d, const char *queue)
{
	return settings_queue(d->lanes.generation->settings, queue);
}

size_t
places_by_breakers(const struct dispatch *d, const char *queue)
{
	const struct settings *s = d->lanes.generation->settings;
	const struct queue_setting *q = d->broken > 0 ? find(d, queue) : NULL;
	bool any = false, probe = false;

	if (q == NULL)
		return SIZE_MAX;
	for (size_t i = 0; i < s->nhandlers; i++) {
		const struct lane *lane = d->lanes.of[i];

		if (!settings_serves(q, &s->handlers[i]))
			continue;
		if (lane->breaker.state == BREAKER_CLOSED)
			return SIZE_MAX;
		any = true;
		probe = probe ||
		    (breaker_lets(&lane->breaker) && TAILQ_EMPTY(&lane->held));
	}
	return !any ? SIZE_MAX : probe ? 1 : 0;
}

static size_t
left_in(const struct lane *lane)
{
	int64_t most = lane->how->concurrency;

	if (lane->breaker.state != BREAKER_CLOSED || !TAILQ_EMPTY(&lane->held))
		return 0;
	if (most == 0)
		return SIZE_MAX;
	return lane->running < most ? (size_t)(most - lane->running) : 0;
}

size_t
places_sure(const struct dispatch *d, const char *queue)
{
	const struct settings *s = d->lanes.generation->settings;
	const struct queue_setting *q = find(d, queue);
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < s->nhandlers; i++) {
		size_t left = q == NULL || settings_serves(q, &s->handlers[i])
		    ? left_in(d->lanes.of[i])
		    : SIZE_MAX;

		least = left < least ? left : least;
	}
	return least;
}

/* Jobs of this queue that are here. */
static size_t
count_here(const struct dispatch *d, const char *queue)
{
	const struct task *t;
	size_t len = strlen(queue), n = 0;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		n += t->job.queue.len == len &&
		    memcmp(t->job.queue.bytes, queue, len) == 0;
	return n;
}

size_t
places_in(const struct dispatch *d, const char *queue)
{
	const struct queue_setting *q = find(d, queue);
	size_t most = places_by_breakers(d, queue);

	if (q == NULL || q->concurrency == 0 || most == 0)
		return most;
	size_t here = count_here(d, queue), limit = (size_t)q->concurrency;
	size_t left = here < limit ? limit - here : 0;
	return left < most ? left : most;
}
