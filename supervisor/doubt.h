/*
 * doubt - whether the server may have reserved jobs for us of which we have
 * not heard.
 *
 * It arises with a question whose answer was lost, and with a new process, which
 * does not know how the one before it ended. It is over when the server has
 * been told which jobs are here (HELD). Whoever cannot get that done asks for
 * jobs all the same, and tries again later: the others must not wait.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DOUBT_H
#define SUPERVISOR_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * So often in a row, without an answer to a question in between, the server is
 * told at once. A job that cannot be read ends the conversation each time, and
 * would otherwise keep all that are behind it from coming.
 */
enum { DOUBT_ROW = 5 };
#define DOUBT_PAUSE (60 * CLOCK_NS_PER_S) /* from then on */

struct doubt {
	bool open;
	unsigned told; /* in a row */
	int64_t at;    /* clock_mono(); the last time */
};

void doubt_arise(struct doubt *d);

/* Whether the server is to be told before it is asked for jobs. */
bool doubt_is_due(const struct doubt *d, int64_t now);

/* It is being told; then it has been, or has refused. A lost reply is neither. */
void doubt_telling(struct doubt *d, int64_t now);
void doubt_told(struct doubt *d);
void doubt_refused(struct doubt *d);

/* A question was answered: with jobs or with none. */
void doubt_answered(struct doubt *d);

#endif
