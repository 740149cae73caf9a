/*
 * reader - a connection that only reads, beside a server or without one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/reader.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "server/store/database.h"
#include "server/store/fault.h"
#include "server/store/schema.h"

int
reader_open(const char *file, sqlite3 **out, struct err *e)
{
	struct stat st;
	sqlite3 *db = NULL;
	int64_t version;

	if (stat(file, &st) < 0)
		return err_set(e, errno, "%s: %s", file, strerror(errno));
	int rc = sqlite3_open_v2(
	    file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		(void)fault_set(e, db, rc, "open");
		goto fail;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, DATABASE_BUSY_MS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	if (schema_look(db, &version, e) == 0) {
		*out = db;
		return 0;
	}

fail:
	sqlite3_close(db);
	return err_wrap(e, "%s", file);
}

int
reader_ask(sqlite3 *db, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int r = 0, rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	else
		r = fault_set(e, db, rc, "cannot be read");
	sqlite3_finalize(q);
	return r;
}
