/*
 * backup - a copy of a database in use, proved before it is called one.
 *
 * VACUUM INTO reads one moment of the database while the server goes on; the
 * log cannot be started afresh meanwhile, and grows. The copy gets its name
 * when it is whole, and never takes a name that is there.
 *
 * SPDX-License-Identifier: ISC
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/examine.h"
#include "server/store/fault.h"
#include "server/store/reader.h"

enum { STEPS = 10000 }; /* of SQLite's machine between two looks at `ended` */

static int
on_steps(void *ctx)
{
	bool (**ended)(void) = ctx;

	return (*ended)();
}

static int
copy(sqlite3 *db, const char *to, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "VACUUM INTO ?1", -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(q, 1, to, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	int r = 0;
	if (rc == SQLITE_INTERRUPT)
		r = err_set(e, EINTR, "given up");
	else if (rc != SQLITE_DONE)
		r = fault_set(e, db, rc, "copy");
	sqlite3_finalize(q);
	return r;
}

static int
prove(const char *file, struct store_facts *facts, struct err *e)
{
	sqlite3 *db;

	if (reader_open(file, &db, e) < 0)
		return -e->code;
	int r = examine(db, NULL, NULL, facts, e);
	sqlite3_close(db);
	return r < 0 ? err_wrap(e, "the copy is not good") : 0;
}

static int
sync_path(const char *path, int flags, struct err *e)
{
	int fd = open(path, flags | O_CLOEXEC);
	int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r < 0 ? err_set(e, -r, "sync %s: %s", path, strerror(-r)) : 0;
}

/* Where there are no hard links, as on FAT, a rename that replaces nothing. */
static int
give_name(const char *from, const char *to, struct err *e)
{
	char parent[PATH_MAX];

	if (link(from, to) == 0)
		(void)unlink(from);
	else if (errno == EEXIST ||
	    renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return err_set(e, errno, "%s: %s", to, strerror(errno));
	snprintf(parent, sizeof parent, "%s", to);
	return sync_path(dirname(parent), O_RDONLY | O_DIRECTORY, e);
}

/* SQLite leaves its journal behind when there was no room for the rest. */
static void
discard(const char *fresh)
{
	char journal[PATH_MAX + sizeof "-journal"];

	snprintf(journal, sizeof journal, "%s-journal", fresh);
	(void)unlink(fresh);
	(void)unlink(journal);
}

static int
make(sqlite3 *db, const char *fresh, const char *file,
    struct store_facts *facts, struct err *e)
{
	if (copy(db, fresh, e) < 0 || prove(fresh, facts, e) < 0 ||
	    sync_path(fresh, O_RDONLY, e) < 0)
		return -e->code;
	return give_name(fresh, file, e);
}

int
store_backup(const char *dir, const char *file, bool (*ended)(void),
    struct store_facts *facts, struct err *e)
{
	char source[PATH_MAX], fresh[PATH_MAX];
	struct stat st;
	sqlite3 *db;

	*facts = (struct store_facts){ 0 };
	if ((size_t)snprintf(source, sizeof source, "%s/faktotum.db", dir) >=
		sizeof source ||
	    (size_t)snprintf(fresh, sizeof fresh, "%s.%ld.part", file,
		(long)getpid()) >= sizeof fresh)
		return err_set(e, ENAMETOOLONG, "a name is too long");
	if (lstat(file, &st) == 0)
		return err_set(e, EEXIST, "%s: %s", file, strerror(EEXIST));
	if (reader_open(source, &db, e) < 0)
		return -e->code;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		(void)err_set(e, errno, "%s: %s", fresh, strerror(errno));
		sqlite3_close(db);
		return -e->code;
	}
	close(fd);
	sqlite3_progress_handler(db, STEPS, on_steps, &ended);
	int r = make(db, fresh, file, facts, e);
	sqlite3_close(db);
	if (r < 0)
		discard(fresh);
	return r;
}
