/*
 * handler_show - the settings of a job, as they stand, for a person.
 *
 * Goes through the rows of handler.h, so none is left out.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_HANDLER_SHOW_H
#define CONFIG_HANDLER_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "config/field.h"
#include "config/settings.h"

/*
 * A line for each row, "  NAME  VALUE", but for those that are read into the
 * arguments and the environment: exec, shell, args, env, wrap.
 */
void handler_show(FILE *out, const struct handler *how);

/* Whether handler_show() knows how to show the values of this row. */
bool handler_shows(const struct field *row);

#endif
