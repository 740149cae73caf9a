/*
 * holdoff - powers of two with jitter.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/holdoff.h"

#include "supervisor/chance.h"

double
holdoff_next(struct holdoff *b)
{
	double wait = b->first;

	for (unsigned i = 0; i < b->fails && wait < b->most; i++)
		wait *= 2.;
	if (wait > b->most)
		wait = b->most;
	b->fails++;
	return chance_between(wait / 2., wait);
}
