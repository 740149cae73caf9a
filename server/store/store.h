/*
 * store - what is durable, behind an interface that never makes anyone wait.
 *
 * The server decides everything in memory and hands each decision down as a
 * change. Changes gather in the open batch; store_flush() sends the batch to
 * the store's own thread, which writes it in one transaction and syncs it;
 * then, on the loop, each change hears whether it is on disk. Batches are
 * written in the order they were flushed, changes in the order they were
 * added. What is committed together is all or nothing: when it cannot be
 * written, none of the batch is, and every change of it hears the error. Only
 * a change that does not fit what is there (a job that is not, or already is)
 * fails alone. A batch too large for one commit goes down in several.
 *
 * What a change borrows must live until its done call. Nothing here knows the
 * protocol or the meaning of a payload; SQL stands in this folder only.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Where a job is. The numbers are on disk: never renumber. */
enum job_state {
	JOB_QUEUED = 1,
	JOB_RESERVED = 2,
	JOB_SCHEDULED = 3,
	JOB_RETRY = 4,
	JOB_DEAD = 5,
};

/* What is remembered about a worker. The numbers are on disk, as above. */
enum store_note {
	NOTE_GONE = 1,   /* it died; `value`: when, wall-clock ns; jid is "" */
	NOTE_CANCEL = 2, /* it is to be told to end the job `jid` */
	NOTE_LOST = 3,   /* it is to be told that it holds `jid` no more */
};

/*
 * A job as a row. Times are wall-clock ns. Texts are NUL-terminated and may
 * be NULL where marked.
 */
struct store_job {
	int64_t id; /* the server's own; never reused */
	enum job_state state;
	int64_t seq;         /* order within its queue; ascending = first out */
	int64_t due;         /* scheduled, retry: when; dead: purge; reserved:
	                          expiry; queued: 0 */
	int64_t enqueued_at; /* 0 when never; -1 in updates: unchanged */
	int64_t reserved_at; /* 0 when not reserved */
	int64_t retry;       /* the job's own limit */
	int64_t reserve_for; /* seconds, already clamped */
	int64_t retry_count; /* -1: never failed */
	int64_t deaths;      /* workers that died with it since it failed */
	const char *jid;     /* any bytes but NUL */
	const char *jobtype;
	const char *queue;
	const char *wid;       /* NULL or "": none */
	const char *failed_at; /* RFC 3339 of the first failure; NULL: none */
	const char *failure;   /* JSON object; NULL: none */
	size_t failure_len;
	const char *payload; /* the stored form; NULL in updates: unchanged */
	size_t payload_len;
};

enum store_kind {
	STORE_ADD,    /* a new row from `job` */
	STORE_MOVE,   /* state, seq, due, enqueued_at, reserved_at, wid, deaths;
	                  with set_failure also retry_count, failed_at, failure */
	STORE_TAKE,   /* as MOVE, and reads payload and failure into `taken` */
	STORE_READ,   /* only reads payload and failure into `taken` */
	STORE_REMOVE, /* the row `job.id` */
	STORE_COUNT,  /* counter `name` becomes `value` */
	STORE_NAME,   /* queue `name` exists; not paused if it is new */
	STORE_PAUSE,  /* queue `name` exists, `value` = 1 paused or 0 not */
	STORE_UNNAME, /* queue `name` is forgotten */
	STORE_EMPTY,  /* every job that waits in queue `name` goes */
	STORE_NOTE,   /* `note` about worker `name` and job.jid has `value` */
	STORE_UNNOTE, /* that note is forgotten */
	STORE_KEEP,   /* `job.payload` is the result of job.id and job.jid, of
	                   the time `value`; in the place of an earlier one */
	STORE_KEPT,   /* only reads the result of job.id into taken.payload */
	STORE_UNKEEP, /* the result of job.id is forgotten */
	STORE_CLEAR,  /* every job, counter, queue name, note and result */
};

struct store_change;

/*
 * On the loop, once. result: 0, or a negative errno with why->text for the
 * client; why is never NULL and valid during the call. The change may be
 * reused or freed by then. For the whole batch: -ENOSPC, -EROFS, -EIO,
 * -EUCLEAN (damaged), -EBUSY (another program writes), -ENOMEM; for this
 * change alone: -ENOENT (no job of that id), -EEXIST (ADD: there is one),
 * -EINVAL (ADD without jid, jobtype, queue or payload), -EMSGSIZE.
 */
typedef void
store_done(struct store_change *c, int result, const struct err *why);

struct store_change {
	enum store_kind kind;
	bool set_failure;
	struct store_job job; /* job.id always; the rest as kind says */
	const char *name;
	int64_t value;
	enum store_note note;
	store_done *done; /* may be NULL */
	void *ctx;

	/* STORE_TAKE, STORE_READ: owned by the store, valid during done. */
	struct {
		const char *payload;
		size_t payload_len;
		const char *failure; /* NULL: none */
		size_t failure_len;
		int64_t enqueued_at;
	} taken;

	struct store_change *next; /* the store's, as the next */
	int result;
};

struct store;

/* What is found on disk at start, row by row; pointers live during the call. */
struct store_visitor {
	int (*job)(void *ctx, const struct store_job *row);
	int (*counter)(void *ctx, const char *name, int64_t value);
	int (*queue)(void *ctx, const char *name, bool paused);
	int (*note)(void *ctx, enum store_note note, const char *wid,
	    const char *jid, int64_t value);
	int (*result)(void *ctx, int64_t id, const char *jid, int64_t at);
	void *ctx;
};

/*
 * Opens or makes the database in directory dir, locks it against a second
 * server, and calls the visitor for everything in it: queues, counters,
 * jobs in the order of id, notes, results in the order of their time. Failures
 * are not read (NULL), payloads only of reserved jobs that say "backoff". A
 * negative answer of a visitor ends it with that error. Returns NULL with *e set: -EBUSY when another
 * process has it, -EUCLEAN for a damaged or newer file, else as errno.
 */
struct store *store_open(struct ev_loop *loop, const char *dir,
    const struct store_visitor *v, struct err *e);

/* Adds a change to the open batch. c is taken until its done call. */
void store_add(struct store *s, struct store_change *c);

/*
 * Call once per turn of the loop: hands the open batch to the thread, which
 * takes it, with all else that it was given meanwhile, into its next commit.
 */
void store_flush(struct store *s);

/* Whether a change was added since then. */
bool store_is_open(const struct store *s);

/* Changes added whose done has not been called. */
size_t store_pending(const struct store *s);

/* How long commits took, good ones and failed ones. */
enum { STORE_TIMES = 14 };
extern const double store_time_bounds[STORE_TIMES]; /* upper ends, seconds */
struct store_times {
	uint64_t at[STORE_TIMES + 1]; /* not cumulative; the last: longer */
	double sum;                   /* seconds */
};

struct store_status {
	int64_t bytes;       /* on disk, log included */
	int64_t used_bytes;  /* of the database, some commits ago; no log */
	int64_t last_commit; /* wall clock; of the last good one; 0: none */
	int64_t committed;   /* clock_mono() of the same */
	uint64_t commits;    /* good ones */
	uint64_t failures;   /* commits that failed */
	uint64_t changes;
	struct store_times times;
	bool failing;   /* the last commit failed */
	struct err why; /* while failing */
};
void store_status(const struct store *s, struct store_status *out);

/* Whether what is left of the file system is for what works jobs off, and not
 * for more of them (store/space.h). Asks nobody; some commits ago. */
bool store_is_short(const struct store *s);

/*
 * What the file system takes beside what is kept back, as it was at one of the
 * last commits: it knows the first `seen` of `commits`, of which one has every
 * change that has been answered. Asks nobody.
 */
struct store_spare {
	int64_t bytes; /* below 0: less; INT64_MAX: nobody knows */
	uint64_t commits;
	uint64_t seen;
};
void store_spare(const struct store *s, struct store_spare *out);

/* What a job of so many bytes takes of the database: its row, the pages that
 * hold what does not fit into one, and what is left empty beside it. */
size_t store_bytes_of(size_t job);

/*
 * ---- a data directory beside its server, or without one ----
 *
 * Nothing is changed in it, and nobody who works with it is made to wait.
 */
struct store_facts {
	int64_t schema; /* its version */
	int64_t jobs;
	int64_t bytes; /* of the database or its copy, without a log */
};

/*
 * Looks at every page and every row. problem is told each thing that is wrong,
 * at most 100. Returns 0 when all is well, -EUCLEAN after problems; or a
 * negative errno with *e set, -ENOENT: there is no database. Both -EUCLEAN
 * with *e set and no problem told: it is not ours, or newer.
 */
int store_examine(const char *dir, void (*problem)(void *ctx, const char *text),
    void *ctx, struct store_facts *facts, struct err *e);

/*
 * Writes what is on disk at this moment into a new file, compact and without
 * a log, mode 0600, examined and synced before it gets its name. ended, asked
 * now and then, tells whether to give up. Returns 0, or a negative errno with
 * *e set: -EEXIST when the file is there, -EINTR when given up.
 */
int store_backup(const char *dir, const char *file, bool (*ended)(void),
    struct store_facts *facts, struct err *e);

/*
 * ---- a store that is filled from elsewhere, while no server has it ----
 *
 * All of it, and a mark that names the source, is one transaction: whatever
 * ends the program before store_intake_commit() has returned leaves the store
 * as it was.
 */
struct store_intake;

enum { STORE_SOURCE_MAX = 4200 }; /* bytes of its name: a path fits */

/*
 * Opens or makes the store in dir. Returns NULL with *e set: -EBUSY when a
 * server has it; -EEXIST when it has been filled before, or is not empty.
 * merge: it may hold something, but nothing of this source.
 */
struct store_intake *store_intake_open(
    const char *dir, const char *source, bool merge, struct err *e);

/*
 * Each adds one; jobs in the order in which they shall go out of their queue,
 * with id and seq given here, a counter's value to the one that is there. 0,
 * or a negative errno with *e set, after which only freeing is left to do.
 */
int store_intake_job(
    struct store_intake *in, const struct store_job *job, struct err *e);
int store_intake_queue(
    struct store_intake *in, const char *name, bool paused, struct err *e);
int store_intake_counter(
    struct store_intake *in, const char *name, int64_t value, struct err *e);

/*
 * What was added, asked of the database: counted is told each state, for
 * JOB_QUEUED each queue (else NULL) in the order of bytes, and how many.
 */
typedef void
store_counted(void *ctx, enum job_state state, const char *queue, int64_t jobs);
int store_intake_counts(
    struct store_intake *in, store_counted *counted, void *ctx, struct err *e);

int store_intake_commit(struct store_intake *in, struct err *e);

/* Takes back what was not committed. Accepts NULL. */
void store_intake_free(struct store_intake *in);

/*
 * Writes what is still open, waits for it, calls the done functions, and does
 * the same with what those add; then closes. Not to be called from a done
 * call. Accepts NULL.
 */
void store_close(struct store *s);

#endif
