/*
 * generation - settings, their environment, and a count of holders.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/generation.h"

#include <stdlib.h>

struct generation *
generation_new(struct settings *settings,
    const char *(*lookup)(const char *name), struct err *e)
{
	struct generation *g = calloc(1, sizeof *g);

	if (g == NULL) {
		settings_free(settings);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	g->settings = settings;
	g->holders = 1;
	int r = environment_base(&g->base, settings, lookup, e);
	if (r < 0) {
		if (r == -ENOMEM)
			err_set(e, ENOMEM, "out of memory");
		generation_drop(g);
		return NULL;
	}
	return g;
}

struct generation *
generation_hold(struct generation *g)
{
	g->holders++;
	return g;
}

void
generation_drop(struct generation *g)
{
	if (g == NULL || --g->holders > 0)
		return;
	environment_clear(&g->base);
	settings_free(g->settings);
	free(g);
}
