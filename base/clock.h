/*
 * clock - the time, monotonic and wall, replaceable in tests.
 *
 * Durations and deadlines use the monotonic clock, so that a step of the wall
 * clock cannot kill a program that is well within its time. Moments that are
 * shown to people or written to disk use the wall clock.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_S  INT64_C(1000000000)
#define CLOCK_NS_PER_MS INT64_C(1000000)

/* Nanoseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME). */
int64_t clock_wall(void);

/* Nanoseconds since some moment in the past (CLOCK_MONOTONIC). */
int64_t clock_mono(void);

/* For tests: both clocks stand still at these values until clock_release(). */
void clock_freeze(int64_t wall, int64_t mono);
void clock_release(void);

#endif
