/*
 * generation - settings, their environment, and a count of holders.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/generation.h"

#include <stdlib.h>

#include "supervisor/security.h"

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
	tls_drop(g->tls);
	sources_clear(&g->sources);
	settings_free(g->settings);
	free(g);
}

int
generation_secure(struct generation *g, struct err *e)
{
	struct tls *t = security_make(g->settings, e);

	if (t == NULL)
		return -e->code;
	tls_drop(g->tls);
	g->tls = t;
	return 0;
}

void
generation_keep(struct generation *g, struct sources *s)
{
	sources_clear(&g->sources);
	g->sources = *s;
	*s = (struct sources){ 0 };
}

void
generation_save(const struct generation *g, struct state_writer *w)
{
	sources_save(&g->sources, w);
}

/* The first mistake is enough for the log. */
static void
note_mistake(void *ctx, const char *message)
{
	struct err *e = ctx;

	if (e->text[0] == '\0')
		err_set(e, EINVAL, "%s", message);
}

struct generation *
generation_load(struct state_reader *r, const char *(*lookup)(const char *name),
    struct err *e)
{
	struct sources src;

	*e = (struct err){ 0 };
	if (sources_load_state(&src, r) < 0) {
		err_set(e, EINVAL, "the state is damaged");
		return NULL;
	}
	struct settings *s = settings_make(&src, lookup, note_mistake, e);
	struct generation *g = s != NULL ? generation_new(s, lookup, e) : NULL;
	if (g != NULL)
		generation_keep(g, &src);
	sources_clear(&src);
	return g;
}
