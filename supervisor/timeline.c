/*
 * timeline - the arithmetic of one dispatch.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/timeline.h"

#include "base/clock.h"

struct timeline
timeline_make(
    const struct job *job, const struct handler *how, int64_t asked_at)
{
	int64_t reserved = job_reservation(job) * CLOCK_NS_PER_S;
	int64_t usable = reserved - TIMELINE_RESERVE;
	struct timeline t = { .expires = asked_at + reserved,
		.grace = how->grace };

	if (t.grace > usable / 2)
		t.grace = usable / 2;
	t.latest = t.expires - TIMELINE_RESERVE - t.grace;
	return t;
}

int64_t
timeline_deadline(
    const struct timeline *t, const struct handler *how, int64_t now)
{
	if (how->timeout > 0 && how->timeout < t->latest - now)
		return now + how->timeout;
	return t->latest;
}

int64_t
timeline_longest_grace(const struct settings *settings)
{
	int64_t longest = 0;

	for (size_t i = 0; i < settings->nhandlers; i++)
		if (settings->handlers[i].grace > longest)
			longest = settings->handlers[i].grace;
	return longest;
}
