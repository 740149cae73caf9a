/*
 * labels - what the server shows beside this worker.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_LABELS_H
#define CONFIG_LABELS_H

#include "config/reader.h"

enum { LABELS_MAX = 64, LABEL_MAX = 1024 };

/* A FIELD_OTHER decoder into a struct settings without labels. */
void labels_decode(
    struct reader *r, const struct node *n, const char *name, void *settings);

#endif
