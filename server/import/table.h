/*
 * table - what was in Redis and what is in the store now, side by side.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_IMPORT_TABLE_H
#define SERVER_IMPORT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "server/import/plan.h"

/* Whether each queue and set holds what Redis had, less what was set aside. */
bool table_agrees(const struct plan *p);

/* Queues that are empty in both are one line. */
void table_print(const struct plan *p, FILE *out);

#endif
