/*
 * examine - every page and every row of a database, looked at.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_EXAMINE_H
#define SERVER_STORE_EXAMINE_H

#include <sqlite3.h>

#include "base/err.h"
#include "server/store/store.h"

/* store_examine() for a connection. problem may be NULL. */
int examine(sqlite3 *db, void (*problem)(void *ctx, const char *text),
    void *ctx, struct store_facts *facts, struct err *e);

#endif
