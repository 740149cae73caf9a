/*
 * saturation - whether the programs use up the processors.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/saturation.h"

#include <sched.h>

void
saturation_init(struct saturation *s)
{
	cpu_set_t ours;
	int n = sched_getaffinity(0, sizeof ours, &ours) == 0 ? CPU_COUNT(&ours)
							      : 0;

	/* More than fit into the set: as many as do. */
	*s = (struct saturation){ .processors =
				      n > 0 ? (size_t)n : CPU_SETSIZE };
}

static int64_t
nanoseconds(const struct timeval *t)
{
	return (int64_t)t->tv_sec * CLOCK_NS_PER_S + (int64_t)t->tv_usec * 1000;
}

void
saturation_note(struct saturation *s, const struct rusage *usage, int64_t now)
{
	int64_t used =
	    nanoseconds(&usage->ru_utime) + nanoseconds(&usage->ru_stime);
	int64_t lasted = now - s->began;

	if (lasted >= SATURATION_WINDOW) {
		s->high = s->used / (int64_t)s->processors >= lasted / 2;
		s->began = now;
		s->used = 0;
	}
	s->used += used < SATURATION_WINDOW ? used : SATURATION_WINDOW;
}

bool
saturation_is_high(const struct saturation *s, size_t running, int64_t now)
{
	return s->high && now - s->began < 2 * SATURATION_WINDOW &&
	    running / SATURATION_QUEUE >= s->processors;
}
