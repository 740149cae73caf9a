/*
 * permissions - octal digits, as chmod(1) and umask(1) take them.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_PERMISSIONS_H
#define CONFIG_PERMISSIONS_H

#include "config/reader.h"

/* A FIELD_OTHER decoder into an int64_t: 0 to 0777. */
void permissions_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

#endif
