/*
 * reload - what a new reading of the configuration can change while we work.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_RELOAD_H
#define SUPERVISOR_RELOAD_H

#include <stdbool.h>

#include "config/settings.h"

/*
 * Puts the old value back where only a restart can change it, and logs each
 * with its place: the jobs at work were reserved from this server, and the
 * private directories lie where they lie.
 */
void reload_keep_fixed(const struct settings *old, struct settings *next);

/* Whether the server must be told anew who we are. */
bool
reload_changes_labels(const struct settings *old, const struct settings *next);

#endif
