/*
 * output_settings - where what a program prints is kept, a file for each run.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_OUTPUT_SETTINGS_H
#define CONFIG_OUTPUT_SETTINGS_H

#include "config/field.h"

/* The rows of the group output:, into a struct handler_draft. */
extern const struct field output_settings_fields[];

/* A FIELD_OTHER decoder into a char *: "off" is NULL. */
void output_settings_dir(
    struct reader *r, const struct node *n, const char *name, void *to);

#endif
