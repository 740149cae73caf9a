/*
 * schema - the tables and views, and how an older file becomes a newer one.
 *
 * docs/store.md describes the views; they are a contract with people's
 * queries. The tables are ours.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_SCHEMA_H
#define SERVER_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/err.h"

/* What this program writes; a file with a higher number is not for it. */
int schema_version(void);

/* Fills an empty database. Returns 0, or a negative errno with *e set. */
int schema_create(sqlite3 *db, struct err *e);

/* Proves that db is ours and not newer than we are: 0, or as the next. */
int schema_look(sqlite3 *db, int64_t *version, struct err *e);

/*
 * Proves that db is ours and not newer than we are, and brings an older one
 * up to date in one transaction. Changes nothing else. Returns 0, -EUCLEAN
 * for a foreign, damaged or newer file, or a negative errno, with *e set.
 */
int schema_check(sqlite3 *db, struct err *e);

#endif
