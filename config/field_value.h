/*
 * field_value - what one value says, by its row. Only for field.c.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_FIELD_VALUE_H
#define CONFIG_FIELD_VALUE_H

#include "config/field.h"

/*
 * Decodes a scalar of any kind but FIELD_GROUP, FIELD_NODE and FIELD_OTHER
 * into its place, or complains.
 */
void field_value(struct reader *r, const struct field *row,
    const struct node *n, const char *name, void *place);

#endif
