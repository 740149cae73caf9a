/*
 * settings_fields - the top-level rows of both files, for the reference.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SETTINGS_FIELDS_H
#define CONFIG_SETTINGS_FIELDS_H

#include "config/field.h"

extern const struct field settings_fields[];
extern const struct field server_settings_fields[];

/* The group tls of settings_fields, into a struct settings. */
extern const struct field tls_settings_fields[];

#endif
