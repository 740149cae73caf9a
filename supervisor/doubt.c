/*
 * doubt - whether the server may have reserved jobs for us of which we have
 * not heard.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/doubt.h"

void
doubt_arise(struct doubt *d)
{
	d->open = true;
}

bool
doubt_is_due(const struct doubt *d, int64_t now)
{
	return d->open && (d->told < DOUBT_ROW || now - d->at >= DOUBT_PAUSE);
}

void
doubt_telling(struct doubt *d, int64_t now)
{
	d->told = d->told < DOUBT_ROW ? d->told + 1 : 1;
	d->at = now;
}

void
doubt_told(struct doubt *d)
{
	d->open = false;
}

void
doubt_refused(struct doubt *d)
{
	d->told = DOUBT_ROW;
}

/* After a refusal the pause goes on: the server answers all else. */
void
doubt_answered(struct doubt *d)
{
	if (d->told < DOUBT_ROW)
		d->told = 0;
}
