/*
 * places - how many jobs may come from a queue.
 *
 * What must not come is not fetched: a job that is here already can only wait,
 * at the cost of its reservation, or fail.
 *
 * For supervisor/dispatch.c and gate.c.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_PLACES_H
#define SUPERVISOR_PLACES_H

#include <stddef.h>

#include "supervisor/dispatch.h"

/*
 * By the breakers of the handlers that the queue serves. SIZE_MAX: any number;
 * 1: for a try; 0: none of them may start one.
 */
size_t places_by_breakers(const struct dispatch *d, const char *queue);

/* By its own limit as well. */
size_t places_in(const struct dispatch *d, const char *queue);

/*
 * How many jobs of this queue could start at once whatever their jobtypes:
 * what is left of the narrowest handler that it serves; 0 when one of them
 * lets jobs wait, or does not work. SIZE_MAX: none has a limit.
 */
size_t places_sure(const struct dispatch *d, const char *queue);

#endif
