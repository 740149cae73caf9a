/*
 * backoff - when a failed job is tried again.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_BACKOFF_H
#define SERVER_BACKOFF_H

#include <stdint.h>

/*
 * Seconds until the next attempt after the failure numbered `count`, counted
 * from 0: count^4 + 15 + r * (count + 1) with r uniform in 0..29, as every
 * Faktory server does. count above 1000 is taken as 1000.
 */
int64_t backoff_seconds(int64_t count);

#endif
