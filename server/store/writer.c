/*
 * writer - batches into transactions, on the one connection that writes.
 *
 * After a failed sync nobody knows what of the log is on the disk, and a
 * second sync that succeeds proves nothing about the first. What saves us is
 * that this connection remembers where the last synced commit ends: the next
 * one is written from there, over the failed one. A new connection would read
 * the failed commit back out of the system's cache, and the jobs of a client
 * that was told "no" would be there after all. So the connection is kept, and
 * at once, at the latest before the next batch, the log is emptied into the
 * database from what is known to be good.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/store/database.h"
#include "server/store/fault.h"
#include "server/store/logfile.h"
#include "server/store/rows.h"
#include "server/store/space.h"

enum {
	BATCH_CHANGES = 1000,
	BATCH_BYTES = 4 * 1024 * 1024, /* written and read; the last may pass */
	LONG_LOG = 4000,               /* pages: checkpoint */
	WIDE_LOG = 500,                /* different pages: the same */
	IDLE_LOG = 256,                /* pages: worth moving when idle */
	HUGE_LOG = 16384,              /* pages: its space is given back */
	LOOK_EVERY = 16,               /* commits: how much is free? */
	MUCH_LEFT = 256 * 1024 * 1024, /* bytes: no log is in anybody's way */
	PAGE_SIZE = 4096,              /* database.c */
	LOG_HEAD = 32,                 /* bytes before the first frame */
	FRAME_HEAD = 24,               /* and before each page */
	/* Of the file of a log that has become long: the commit that makes it
	 * so goes a little beyond. */
	FULL_LOG = LOG_HEAD + (LONG_LOG + 128) * (FRAME_HEAD + PAGE_SIZE),
	LOG_STEP = 1024 * 1024, /* bytes: what a client may have to wait */
};

#define LENGTHEN_NS (250 * CLOCK_NS_PER_MS) /* at the start */

struct writer {
	sqlite3 *db;
	struct rows *rows;
	int log_pages;     /* in the log after the last commit */
	int checkpoint_at; /* pages; both grow while readers hold the log */
	int idle_at;
	bool doubtful; /* the last sync may have failed */
	bool lengthen; /* the log's file may be shorter than FULL_LOG */
	struct space space;
	int commits; /* since space was looked at */
};

static void
forget_log(struct writer *w)
{
	w->log_pages = 0;
	w->checkpoint_at = LONG_LOG;
	w->idle_at = IDLE_LOG;
	logfile_count_afresh(w->db);
}

static int
note_log(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct writer *w = ctx;

	(void)db;
	(void)name;
	/* Shorter than before: it was started afresh. */
	if (pages < w->log_pages)
		forget_log(w);
	w->log_pages = pages;
	return SQLITE_OK;
}

struct writer *
writer_new(sqlite3 *db, struct err *e)
{
	struct writer *w = calloc(1, sizeof *w);

	if (w == NULL) {
		sqlite3_close(db);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	w->db = db;
	forget_log(w);
	w->rows = rows_new(db, e);
	if (w->rows == NULL) {
		writer_free(w);
		return NULL;
	}
	database_trust(db);
	space_init(&w->space, db);
	space_look(&w->space, db);
	space_look_around(&w->space, db, 0);
	sqlite3_wal_hook(db, note_log, w);
	return w;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	rows_free(w->rows);
	sqlite3_close(w->db);
	free(w);
}

/* Waits for nobody: a reader may hold the log as long as it likes. */
static int
empty_log(struct writer *w)
{
	sqlite3_busy_timeout(w->db, 0);
	int rc = sqlite3_wal_checkpoint_v2(
	    w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(w->db, DATABASE_BUSY_MS);
	if (rc == SQLITE_OK) {
		forget_log(w);
		w->lengthen = true;
	}
	return rc;
}

/* A log that a reader holds is not emptied, but may be written over. */
static int
settle_doubt(struct writer *w)
{
	if (!w->doubtful)
		return SQLITE_OK;

	int rc = empty_log(w);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
		return rc;
	w->doubtful = false;
	return SQLITE_OK;
}

/* The log's file, and how much of it is the log; NULL: nobody knows, it may
 * have begun again. */
static sqlite3_file *
log_file(const struct writer *w, sqlite3_int64 *good)
{
	sqlite3_file *log = NULL;

	*good =
	    LOG_HEAD + (sqlite3_int64)w->log_pages * (FRAME_HEAD + PAGE_SIZE);
	if (w->log_pages == 0)
		return NULL;
	(void)sqlite3_file_control(
	    w->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	return log != NULL && log->pMethods != NULL ? log : NULL;
}

/*
 * What is in the log behind the last good commit, of one that met a full disk
 * or from when the log was longer, is nothing to anybody, and takes the room
 * that emptying the log needs. What is before is left alone: others may be
 * reading it.
 */
static void
cut_log(struct writer *w)
{
	sqlite3_int64 good;
	sqlite3_file *log = log_file(w, &good);

	if (log != NULL)
		(void)log->pMethods->xTruncate(log, good);
}

/* Bytes that cut_log() would give back, where they might matter. */
static int64_t
behind_log(const struct writer *w)
{
	sqlite3_int64 good, size;
	sqlite3_file *log =
	    w->space.left < MUCH_LEFT ? log_file(w, &good) : NULL;

	if (log == NULL || log->pMethods->xFileSize(log, &size) != SQLITE_OK)
		return 0;
	return size > good ? size - good : 0;
}

static size_t
bytes_of(const struct store_change *c)
{
	return c->job.payload_len + c->job.failure_len;
}

/* Returns a result code; *rest is what the limits left out. */
static int
apply_some(struct writer *w, struct store_change *c, struct store_change **rest,
    struct arena *a)
{
	size_t count = 0, bytes = 0;
	int rc = SQLITE_OK;

	while (c != NULL && rc == SQLITE_OK && count < BATCH_CHANGES &&
	    bytes + arena_used(a) < BATCH_BYTES) {
		rc = rows_apply(w->rows, c, a);
		bytes += bytes_of(c);
		count++;
		c = c->next;
	}
	*rest = c;
	return rc;
}

int
writer_write(struct writer *w, struct store_change *first,
    struct store_change **rest, struct arena *a, struct err *e)
{
	int rc = settle_doubt(w);

	if (rc == SQLITE_OK)
		rc = rows_begin(w->rows);
	if (rc == SQLITE_OK)
		rc = apply_some(w, first, rest, a);
	if (rc == SQLITE_OK)
		rc = rows_commit(w->rows);
	if (rc == SQLITE_OK)
		return 0;

	/* Before rolling back, which forgets the system's error. */
	int code = fault_set(e, w->db, rc, "not written to disk");
	w->doubtful = w->doubtful || (rc & 0xff) == SQLITE_IOERR;
	rows_rollback(w->rows);
	if (code == -ENOSPC)
		cut_log(w);
	*rest = NULL;
	return code;
}

void
writer_checkpoint(struct writer *w)
{
	if (++w->commits >= LOOK_EVERY) {
		w->commits = 0;
		space_look(&w->space, w->db);
	}
	int64_t pending = (int64_t)w->log_pages * PAGE_SIZE;

	space_look_around(&w->space, w->db, pending);
	/* The sooner, the less time a kill has to find the failed commit. */
	if (settle_doubt(w) != SQLITE_OK)
		return;
	/* It must fit into the database when it is moved. What the log's file
	 * has behind it, from when it was longer, is room as well. */
	if (pending + behind_log(w) >= w->space.left / 2) {
		cut_log(w);
		space_look_around(&w->space, w->db, pending);
	}
	if (pending < w->space.left / 2 && w->log_pages < w->checkpoint_at &&
	    logfile_pages(w->db) < WIDE_LOG)
		return;

	/* Nothing is lost when it fails: the log stays, and is asked again. */
	(void)sqlite3_wal_checkpoint_v2(
	    w->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	w->checkpoint_at = w->log_pages + LONG_LOG;
	logfile_count_afresh(w->db);
}

/* ---- the log's file gets its length before that is needed ----------------- */

static bool
may_lengthen(const struct writer *w)
{
	return w->lengthen && !w->doubtful &&
	    w->space.left >= MUCH_LEFT + FULL_LOG;
}

/*
 * One step; whether there is more to do. When it fails it is not tried again
 * before the log has been emptied or moved once more. The transaction keeps
 * others' programs from changing the log meanwhile.
 */
static bool
lengthen_step(struct writer *w)
{
	int64_t pending = (int64_t)w->log_pages * PAGE_SIZE;
	bool more = false;

	space_look_around(&w->space, w->db, pending);
	if (!may_lengthen(w))
		return false;
	sqlite3_busy_timeout(w->db, 0);
	if (rows_begin(w->rows) == SQLITE_OK &&
	    logfile_lengthen(w->db, FULL_LOG, LOG_STEP, &more) != SQLITE_OK)
		more = false;
	rows_rollback(w->rows);
	sqlite3_busy_timeout(w->db, DATABASE_BUSY_MS);
	w->lengthen = more;
	return more;
}

void
writer_lengthen(struct writer *w)
{
	int64_t until = clock_mono() + LENGTHEN_NS;

	w->lengthen = true;
	while (lengthen_step(w) && clock_mono() < until)
		;
}

/* ---- room, and idle time --------------------------------------------------- */

bool
writer_is_short(const struct writer *w)
{
	return atomic_load(&w->space.short_of);
}

void
writer_spare(const struct writer *w, struct store_spare *out)
{
	/* What is seen first: what becomes of it meanwhile only adds to it. */
	out->seen = atomic_load(&w->space.seen);
	out->bytes = atomic_load(&w->space.spare);
	out->commits = atomic_load(&w->space.commits);
}

int64_t
writer_used_bytes(const struct writer *w)
{
	return w->space.used * PAGE_SIZE;
}

bool
writer_wants_idle(const struct writer *w)
{
	return writer_is_short(w) || may_lengthen(w) ||
	    ((w->log_pages >= w->idle_at || w->space.wanted) && !w->doubtful);
}

bool
writer_wants_step(const struct writer *w)
{
	return (w->space.wanted && !w->doubtful) || may_lengthen(w);
}

static void
shorten_log(struct writer *w)
{
	int in_log = 0, moved = -1;

	if (w->log_pages > HUGE_LOG) {
		if (empty_log(w) != SQLITE_OK)
			w->idle_at = w->log_pages + IDLE_LOG;
		return;
	}
	/* The next commit begins at the front again: space that is there. */
	if (sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
		&in_log, &moved) == SQLITE_OK &&
	    moved == in_log) {
		forget_log(w);
		/* It may have been cut since. */
		w->lengthen = true;
	} else
		w->idle_at = w->log_pages + IDLE_LOG;
}

static void
give_space_back(struct writer *w)
{
	int rc = space_step(&w->space, w->db);

	w->doubtful = w->doubtful || (rc & 0xff) == SQLITE_IOERR;
	if (w->space.wanted)
		writer_checkpoint(w);
	else
		shorten_log(w);
}

void
writer_idle(struct writer *w)
{
	if (!writer_wants_idle(w))
		return;
	/* Pushes are refused meanwhile, so that no commit brings us here. */
	if (writer_is_short(w)) {
		space_look(&w->space, w->db);
		writer_checkpoint(w);
		if (!w->space.wanted || w->doubtful)
			return;
	}
	if (w->space.wanted) {
		give_space_back(w);
		return;
	}
	if (w->log_pages >= w->idle_at) {
		shorten_log(w);
		space_look(&w->space, w->db);
	}
	(void)lengthen_step(w);
}
