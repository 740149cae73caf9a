/*
 * load - read the files, tell what was passed over and what is wrong.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/load.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/err.h"
#include "config/sources.h"

void
load_tell_mistake(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "%s\n", message);
}

void
load_tell_warning(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "warning: %s\n", message);
}

static void
tell_skipped(const struct sources *src, settings_tell *warn)
{
	char text[512];

	for (size_t i = 0; i < src->nskipped; i++) {
		snprintf(text, sizeof text,
		    "%.400s: not read, its name is not that of a *.yaml file",
		    src->skipped[i]);
		warn(NULL, text);
	}
}

int
load_settings(const char *path, const char *(*lookup)(const char *name),
    settings_tell *tell, settings_tell *warn, struct settings **settings,
    struct sources *kept)
{
	struct sources src;
	struct err e = { 0 };

	if (sources_load(&src, path, &e) < 0) {
		tell(NULL, e.text);
		return EX_NOINPUT;
	}
	tell_skipped(&src, warn);
	*settings = settings_make(&src, lookup, tell, NULL);
	if (kept != NULL)
		*kept = src;
	else
		sources_clear(&src);
	return *settings != NULL ? 0 : EX_CONFIG;
}
