/*
 * env_name - which variables a handler may be given, and from where.
 *
 * Some names would hand over our secrets or our place under systemd; some
 * are ours to set; some change what a program runs, so that no job may choose
 * their value. docs/handlers.md, "Environment".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_ENV_NAME_H
#define CONFIG_ENV_NAME_H

#include <stdbool.h>

/* Letters, digits and '_', no digit first. */
bool env_name_is_valid(const char *name);

/*
 * Why a handler may not have this variable, whatever its value, as the end of
 * a sentence that begins with the name; NULL: it may.
 */
const char *env_name_refused(const char *name);

/* Whether its value must not come from a job: PATH, LD_PRELOAD, ... */
bool env_name_is_steering(const char *name);

#endif
