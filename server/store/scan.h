/*
 * scan - everything that is in the database, told once, at start.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_SCAN_H
#define SERVER_STORE_SCAN_H

#include <sqlite3.h>

#include "base/err.h"
#include "server/store/store.h"

/*
 * Queues, counters, jobs in the order of id, notes, results in the order of
 * their time. Returns 0; a negative errno with *e set when the file cannot be
 * read or the visitor refused.
 */
int scan(sqlite3 *db, const struct store_visitor *v, struct err *e);

#endif
