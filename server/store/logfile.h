/*
 * logfile - SQLite's log, written a commit at a time.
 *
 * SQLite hands the log over in two writes for each page, a header of 24 bytes
 * and the page, and then asks for a sync. This VFS gathers what lies end to
 * end and passes it on as one write when it is synced, read, or looked at in
 * any other way. All else, other files included, goes through as it is.
 *
 * It changes no promise of the log: nobody looks for a frame before the sync
 * that ends its commit, the frames reach the file in the order SQLite wrote
 * them, and a write that fails is told by the call that needed it, at the
 * latest by the sync, before the commit counts.
 *
 * And it makes the file longer before that is needed: syncing what is written
 * over space that is there takes half as long as syncing what makes the file
 * longer.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_LOGFILE_H
#define SERVER_STORE_LOGFILE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Pages are counted up to this: no question is about more. */
enum { LOGFILE_PAGES_MAX = 1024 };

/*
 * Registers it over the default VFS of the moment; returns its name for
 * sqlite3_open_v2(), or NULL when SQLite is short of memory. Only for
 * connections opened with that name. Not to be called by two threads at once.
 */
const char *logfile_vfs(void);

/*
 * How many different pages have been written to the log of db since it was
 * opened or last counted afresh, LOGFILE_PAGES_MAX at most: what has to be
 * written to the database when the log is moved. Pages of a transaction that
 * was rolled back count, too. 0 for a connection that is not of this VFS.
 */
int logfile_pages(sqlite3 *db);

void logfile_count_afresh(sqlite3 *db);

/*
 * Makes the log's file longer by `by` bytes, up to `to` in all, of zeros, and
 * syncs them; *more: it is still shorter than that. What is there is not
 * touched, and zeros are no frame: no page has the number 0 (SQLite's file
 * format, 4.1). Returns SQLITE_OK, also for a connection that is not of this
 * VFS, where nothing is done; or what the file system refused: then all zeros
 * behind the frames are taken back, those of earlier calls as well. To be
 * called in a transaction that may write, and that has not written.
 */
int
logfile_lengthen(sqlite3 *db, sqlite3_int64 to, sqlite3_int64 by, bool *more);

#endif
