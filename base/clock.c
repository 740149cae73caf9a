/*
 * clock - the time, monotonic and wall, replaceable in tests.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

/* Any thread may ask for the time while a test sets it. */
static atomic_bool frozen;
static _Atomic int64_t frozen_wall;
static _Atomic int64_t frozen_mono;

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
	return atomic_load(&frozen) ? atomic_load(&frozen_wall)
				    : now(CLOCK_REALTIME);
}

int64_t
clock_mono(void)
{
	return atomic_load(&frozen) ? atomic_load(&frozen_mono)
				    : now(CLOCK_MONOTONIC);
}

void
clock_freeze(int64_t wall, int64_t mono)
{
	atomic_store(&frozen_wall, wall);
	atomic_store(&frozen_mono, mono);
	atomic_store(&frozen, true);
}

void
clock_release(void)
{
	atomic_store(&frozen, false);
}
