/*
 * reader - a connection that only reads, beside a server or without one.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_READER_H
#define SERVER_STORE_READER_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Opens an existing database of ours, this version's or an older one's, and
 * changes nothing in it, its log included. Returns 0 with *out to be closed
 * with sqlite3_close(), or a negative errno with *e set: -ENOENT, -EUCLEAN.
 */
int reader_open(const char *file, sqlite3 **out, struct err *e);

/* Answers a question of one number. Returns 0, or a negative errno with *e. */
int reader_ask(sqlite3 *db, const char *sql, int64_t *out, struct err *e);

#endif
