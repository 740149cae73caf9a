/*
 * load - the configuration that -c names, and what to say about it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "config/settings.h"
#include "config/sources.h"

/* For people at a terminal: on standard error. */
void load_tell_mistake(void *ctx, const char *message);
void load_tell_warning(void *ctx, const char *message);

/*
 * Reads and checks. Files that were passed over are told through `warn`, what
 * is wrong through `tell`. kept gets what was read, sources_clear(); NULL: nobody
 * wants it. Returns 0 and the settings, owned:
 * settings_free(); EX_NOINPUT or EX_CONFIG.
 */
int load_settings(const char *path, const char *(*lookup)(const char *name),
    settings_tell *tell, settings_tell *warn, struct settings **settings,
    struct sources *kept);

#endif
