/*
 * database - the only connection that writes, opened the only way it may be.
 *
 * There is no quick_check after an unclean stop: the log's checksums decide
 * what of it counts, and the scan at start walks every page that holds a job's
 * state. A damaged page is found there, at no extra cost.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/datadir.h"
#include "server/store/fault.h"
#include "server/store/logfile.h"
#include "server/store/schema.h"

enum { PAGE_LEAST = 512 }; /* SQLite's smallest */

/*
 * Nobody asks SQLite how much memory it has, and to know it takes a lock at
 * each allocation.
 */
static const char *
vfs(void)
{
	/* Refused once SQLite is in use, which does no harm. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	return logfile_vfs();
}

static int
connect_to(const char *file, sqlite3 **out, struct err *e)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(
	    file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs());

	if (rc != SQLITE_OK) {
		(void)fault_set(e, db, rc, "open");
		sqlite3_close(db);
		return -e->code;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, DATABASE_BUSY_MS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	*out = db;
	return 0;
}

static int
run(sqlite3 *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fault_set(e, db, rc, "open");
}

static int
make_empty(const char *file, struct err *e)
{
	int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(e, errno, "make %s: %s", file, strerror(errno));
	int r = fchmod(fd, 0600) < 0 ? -errno : 0;
	close(fd);
	return r == 0 ? 0 : err_set(e, -r, "make %s: %s", file, strerror(-r));
}

static int
fill(const char *file, struct err *e)
{
	sqlite3 *db = NULL;

	if (connect_to(file, &db, e) < 0)
		return -e->code;

	/* What a crash leaves half made is thrown away: it needs no journal. */
	int r = run(db,
	    "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;"
	    "PRAGMA journal_mode = MEMORY;"
	    "PRAGMA synchronous = FULL",
	    e);
	if (r == 0)
		r = schema_create(db, e);
	sqlite3_close(db);
	return r;
}

static int
make(const char *file, struct err *e)
{
	char fresh[PATH_MAX];
	int r;

	snprintf(fresh, sizeof fresh, "%s.new", file);
	if (unlink(fresh) < 0 && errno != ENOENT)
		return err_set(
		    e, errno, "remove %s: %s", fresh, strerror(errno));
	if (make_empty(fresh, e) < 0)
		return -e->code;
	if (fill(fresh, e) < 0) {
		(void)unlink(fresh);
		return err_wrap(e, "make %s", file);
	}
	r = rename(fresh, file) < 0 ? -errno : datadir_sync_parent(file);
	return r == 0 ? 0 : err_set(e, -r, "make %s: %s", file, strerror(-r));
}

/*
 * One that begins with zeros is only space for a log (logfile.h). What cannot
 * be read may be one.
 */
static bool
has_log(const char *file)
{
	static const char zeros[4]; /* as long as what SQLite knows it by */
	char log[PATH_MAX], head[sizeof zeros];

	snprintf(log, sizeof log, "%s-wal", file);
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT;
	ssize_t n = read(fd, head, sizeof head);
	close(fd);
	return n != 0 &&
	    (n != sizeof head || memcmp(head, zeros, sizeof head) != 0);
}

/* Another database's log would be played back into a new one. */
static int
prove_no_orphan(const char *file, struct err *e)
{
	if (!has_log(file))
		return 0;
	return err_set(e, EUCLEAN,
	    "%s is missing, but its log %s-wal is there: put the file back, "
	    "or move the log away to start empty",
	    file, file);
}

static bool
is_database(const char *file)
{
	static const char magic[16] = "SQLite format 3";
	char head[sizeof magic] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t n = read(fd, head, sizeof head);
	close(fd);
	return n == sizeof head && memcmp(head, magic, sizeof magic) == 0;
}

/*
 * SQLite takes a last page that is there in part for a whole one. A crash
 * leaves such a page too, but then it is in the log.
 */
static int
prove_whole(const char *file, const struct stat *st, struct err *e)
{
	if (st->st_size % PAGE_LEAST == 0 || has_log(file) ||
	    !is_database(file))
		return 0;
	return err_set(e, EUCLEAN,
	    "%s: cannot be read: it is cut short within a page", file);
}

/* journal_mode answers with what it became, and cannot fail otherwise. */
static int
enter_wal(sqlite3 *db, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc =
	    sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &q, NULL);
	bool entered = false;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		entered =
		    sqlite3_stricmp(
			(const char *)sqlite3_column_text(q, 0), "wal") == 0;
	else
		(void)fault_set(e, db, rc, "open");
	sqlite3_finalize(q);
	if (rc != SQLITE_ROW)
		return -e->code;
	return entered ? 0
		       : err_set(e, ENOTSUP,
			     "this file system cannot share memory between "
			     "programs: keep the data on a local disk");
}

/*
 * What is left of a deleted row is overwritten where that costs no further
 * write. Some systems build SQLite to write each page that becomes free once
 * more, as zeros.
 */
static int
prepare(sqlite3 *db, struct err *e)
{
	if (schema_check(db, e) < 0 || enter_wal(db, e) < 0)
		return -e->code;
	return run(db,
	    "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
	    "PRAGMA journal_size_limit = 67108864; PRAGMA mmap_size = 0;"
	    "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
	    "PRAGMA cell_size_check = ON; PRAGMA secure_delete = FAST",
	    e);
}

void
database_trust(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)NULL);
}

int
database_open(const char *file, sqlite3 **out, struct err *e)
{
	struct stat st;
	sqlite3 *db = NULL;

	if (stat(file, &st) < 0) {
		if (errno != ENOENT)
			return err_set(
			    e, errno, "open %s: %s", file, strerror(errno));
		if (prove_no_orphan(file, e) < 0 || make(file, e) < 0)
			return -e->code;
	} else if (prove_whole(file, &st, e) < 0) {
		return -e->code;
	}
	if (connect_to(file, &db, e) < 0)
		return err_wrap(e, "%s", file);
	if (has_log(file))
		sqlite3_db_config(
		    db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	if (prepare(db, e) < 0) {
		sqlite3_close(db);
		return err_wrap(e, "%s", file);
	}
	*out = db;
	return 0;
}
