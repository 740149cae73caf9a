/*
 * fault - what SQLite refused, as an errno and a sentence.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_FAULT_H
#define SERVER_STORE_FAULT_H

#include <sqlite3.h>

#include "base/err.h"

/*
 * The negative errno for a result code that the last call on db gave: -ENOSPC
 * for a full disk, quota or file size limit, -EROFS, -EIO, -EUCLEAN for a
 * damaged file, -EBUSY when another program keeps it locked, -ENOMEM, -EIO for
 * the rest.
 */
int fault_code(sqlite3 *db, int rc);

/* Sets *e to "what: SQLite's message (the system's)"; returns fault_code(). */
int fault_set(struct err *e, sqlite3 *db, int rc, const char *what);

#endif
