/*
 * clock - the time, monotonic and wall, replaceable in tests.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static bool frozen;
static int64_t frozen_wall;
static int64_t frozen_mono;

static int64_t
now(clockid_t which)
{
	struct timespec t;

	/* Cannot fail: both clocks exist and t is ours. */
	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * CLOCK_NS_PER_S + t.tv_nsec;
}

int64_t
clock_wall(void)
{
	return frozen ? frozen_wall : now(CLOCK_REALTIME);
}

int64_t
clock_mono(void)
{
	return frozen ? frozen_mono : now(CLOCK_MONOTONIC);
}

void
clock_freeze(int64_t wall, int64_t mono)
{
	frozen_wall = wall;
	frozen_mono = mono;
	frozen = true;
}

void
clock_release(void)
{
	frozen = false;
}
