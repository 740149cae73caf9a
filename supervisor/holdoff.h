/*
 * holdoff - how long to wait before the next try of something that failed.
 *
 * Twice as long after each failure, up to a ceiling, and somewhere in the
 * upper half of that, so that many workers do not come back as one.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HOLDOFF_H
#define SUPERVISOR_HOLDOFF_H

struct holdoff {
	double first; /* seconds */
	double most;
	unsigned fails; /* in a row; set to 0 after a success */
};

/* Counts a failure and returns the seconds to wait after it. */
double holdoff_next(struct holdoff *b);

#endif
