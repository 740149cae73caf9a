/*
 * fault - what SQLite refused, as an errno and a sentence.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/fault.h"

#include <errno.h>
#include <string.h>

/* The low byte is the kind; the rest, when there, the detail. */
enum { KIND = 0xff };

static int
system_code(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return -ENOSPC;
	case EROFS:
		return -EROFS;
	case EACCES:
	case EPERM:
		return -EACCES;
	default:
		return -EIO;
	}
}

/*
 * What the system said. SQLite remembers it on the connection, except when
 * it is the commit that fails: then it is with the log, which is written to.
 */
static int
system_error(sqlite3 *db, int rc)
{
	sqlite3_file *log = NULL;
	int error = 0;

	if (db == NULL)
		return 0;
	if (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_FSYNC)
		sqlite3_file_control(
		    db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (log != NULL && log->pMethods != NULL)
		(void)log->pMethods->xFileControl(
		    log, SQLITE_FCNTL_LAST_ERRNO, &error);
	return error != 0 ? error : sqlite3_system_errno(db);
}

int
fault_code(sqlite3 *db, int rc)
{
	switch (rc & KIND) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return -ENOMEM;
		return system_code(system_error(db, rc));
	case SQLITE_CANTOPEN:
		return system_code(system_error(db, rc));
	default:
		return -EIO;
	}
}

int
fault_set(struct err *e, sqlite3 *db, int rc, const char *what)
{
	int kind = rc & KIND, code = fault_code(db, rc);
	int error = system_error(db, rc);

	/* Elsewhere the system's error is left over from an older failure. */
	if (error != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN))
		return err_set(e, -code, "%s: %s (%s)", what,
		    sqlite3_errstr(rc), strerror(error));
	return err_set(e, -code, "%s: %s", what, sqlite3_errstr(rc));
}
