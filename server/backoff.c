/*
 * backoff - the polynomial that all Faktory servers share.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/backoff.h"

#include <sys/random.h>

enum { COUNT_MAX = 1000, BASE = 15, JITTER = 30 };

static int64_t
roll(int64_t sides)
{
	uint32_t bits = 0;

	/* Without entropy at hand all jobs wait the shortest time. */
	(void)!getrandom(&bits, sizeof bits, GRND_NONBLOCK);
	return (int64_t)bits % sides;
}

int64_t
backoff_seconds(int64_t count)
{
	if (count > COUNT_MAX)
		count = COUNT_MAX;
	if (count < 0)
		count = 0;
	return count * count * count * count + BASE +
	    roll(JITTER) * (count + 1);
}
