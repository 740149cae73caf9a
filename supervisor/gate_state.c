/*
 * gate_state - the breakers, for a successor.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/dispatch_inside.h"
#include "supervisor/gate.h"

void
gate_save(const struct dispatch *d, struct state_writer *w)
{
	const struct settings *s = d->lanes.generation->settings;

	state_put_int(w, (int64_t)s->nhandlers);
	for (size_t i = 0; i < s->nhandlers; i++) {
		state_put_text(w, s->handlers[i].jobtype);
		breaker_save(&d->lanes.of[i]->breaker, w);
	}
}

void
gate_load(struct dispatch *d, struct state_reader *r)
{
	int64_t n = state_get_within(r, 0, INT32_MAX);

	for (; n > 0 && !r->failed; n--) {
		char *jobtype = state_get_text(r);
		const struct handler *how = jobtype == NULL
		    ? NULL
		    : settings_handler(d->lanes.generation->settings, jobtype,
			  strlen(jobtype));
		struct breaker none = { 0 };

		/* What the settings do not have any more is read all the same. */
		breaker_load(
		    how != NULL ? &lanes_find(&d->lanes, how)->breaker : &none,
		    r);
		free(jobtype);
	}
}
