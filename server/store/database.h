/*
 * database - the only connection that writes, opened the only way it may be.
 *
 * WAL, synchronous=FULL, shared locking, no mmap, no checkpoint but those we
 * ask for: readers with `sqlite3 -readonly` may come and go meanwhile.
 *
 * A missing file is made under another name and renamed when it is complete,
 * so that one found empty or cut short is damage and never taken for new.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_DATABASE_H
#define SERVER_STORE_DATABASE_H

#include <sqlite3.h>

#include "base/err.h"

/*
 * Opens or makes file (mode 0600). Returns 0 with *out to be closed with
 * sqlite3_close(); or a negative errno with *e set, -EUCLEAN for a file that
 * is damaged, foreign or newer, which is then left as it was.
 */
int database_open(const char *file, sqlite3 **out, struct err *e);

/*
 * The file is whole as far as can be seen. Until then, closing it does not
 * move its log into it: what is damaged stays as it is, both of it.
 */
void database_trust(sqlite3 *db);

/* The longest wait for a lock that someone else's program holds. */
enum { DATABASE_BUSY_MS = 2000 };

#endif
