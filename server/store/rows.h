/*
 * rows - one change as one statement.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_ROWS_H
#define SERVER_STORE_ROWS_H

#include <sqlite3.h>

#include "base/err.h"
#include "server/store/arena.h"
#include "server/store/store.h"

struct rows;

/* Prepares every statement. Returns NULL with *e set. db is borrowed. */
struct rows *rows_new(sqlite3 *db, struct err *e);

/* Before its db is closed. Accepts NULL. */
void rows_free(struct rows *r);

/*
 * Does one change within the transaction that is open, copying what it reads
 * into a. Returns SQLITE_OK with c->result set: 0, or what is wrong with this
 * change alone; or another result code, when the whole batch has to fail.
 */
int rows_apply(struct rows *r, struct store_change *c, struct arena *a);

/*
 * Begin and commit return a result code of SQLite; rolling back cannot do
 * anything about a failure and tells of none.
 */
int rows_begin(struct rows *r);
int rows_commit(struct rows *r);
void rows_rollback(struct rows *r);

#endif
