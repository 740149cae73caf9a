/*
 * examine - every page and every row of a database, looked at.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/examine.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "server/store/fault.h"
#include "server/store/reader.h"

/* What the pages cannot show: rows that make no sense. One line for each. */
static const char rows[] =
    "SELECT 'job ' || id || ': ' || CASE"
    " WHEN state NOT BETWEEN 1 AND 5 THEN 'is nowhere: state ' || state"
    " WHEN jid = '' OR jobtype = '' OR queue = ''"
    "  THEN 'has no jid, jobtype or queue'"
    " WHEN NOT json_valid(payload) THEN 'its payload is no JSON'"
    " END AS wrong FROM jobs WHERE wrong IS NOT NULL LIMIT 100";

struct finding {
	void (*problem)(void *ctx, const char *text);
	void *ctx;
	int count;
};

static void
tell(struct finding *f, const char *text)
{
	f->count++;
	if (f->problem != NULL)
		f->problem(f->ctx, text);
}

/* Each row is a problem, but "ok". Returns a result code. */
static int
ask(sqlite3 *db, const char *sql, struct finding *f)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(q);
		if (rc != SQLITE_ROW)
			break;
		const char *text = (const char *)sqlite3_column_text(q, 0);
		if (text != NULL && strcmp(text, "ok") != 0)
			tell(f, text);
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
examine(sqlite3 *db, void (*problem)(void *ctx, const char *text), void *ctx,
    struct store_facts *facts, struct err *e)
{
	struct finding f = { problem, ctx, 0 };
	int rc = ask(db, "PRAGMA integrity_check(100)", &f);

	/* Behind a damaged page the same would be found again. */
	if (rc == SQLITE_OK && f.count == 0)
		rc = ask(db, rows, &f);
	if (rc != SQLITE_OK && f.count == 0)
		return fault_set(e, db, rc, "cannot be read");
	if (f.count > 0)
		return err_set(e, EUCLEAN, "%d problems", f.count);
	if (reader_ask(db, "PRAGMA user_version", &facts->schema, e) < 0 ||
	    reader_ask(db, "SELECT count(*) FROM jobs", &facts->jobs, e) < 0)
		return -e->code;
	return reader_ask(db,
	    "SELECT page_count * page_size"
	    " FROM pragma_page_count, pragma_page_size",
	    &facts->bytes, e);
}

int
store_examine(const char *dir, void (*problem)(void *ctx, const char *text),
    void *ctx, struct store_facts *facts, struct err *e)
{
	char file[PATH_MAX];
	sqlite3 *db;

	*facts = (struct store_facts){ 0 };
	if ((size_t)snprintf(file, sizeof file, "%s/faktotum.db", dir) >=
	    sizeof file)
		return err_set(e, ENAMETOOLONG, "%.64s…: too long", dir);
	if (reader_open(file, &db, e) < 0)
		return -e->code;
	int r = examine(db, problem, ctx, facts, e);
	sqlite3_close(db);
	return r < 0 ? err_wrap(e, "%s", file) : 0;
}
