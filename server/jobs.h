/*
 * jobs - every job the server holds, and the moves between their places.
 *
 * Each move is one change in the store, and takes effect in memory when that
 * change is on disk: a job that is being moved is in nobody's hands. When the
 * disk refuses, the job is back where it was and the caller hears why. Times
 * that come due (scheduled, retry, dead, reservations) are kept here too.
 *
 *            push              take                ack
 *   (client) ----> QUEUED ------------> RESERVED ------> gone
 *       |           ^  ^    give back     |    |
 *       | push      |  +------------------+    | fail, expiry
 *       v           |                          v
 *   SCHEDULED ------+------------------- RETRY or DEAD or gone
 *             due             due
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_JOBS_H
#define SERVER_JOBS_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "protocol/held.h"
#include "protocol/job.h"
#include "protocol/outcome.h"
#include "server/counters.h"
#include "server/entry.h"
#include "server/news.h"
#include "server/queues.h"
#include "server/reservations.h"
#include "server/results.h"

/* The sets, as INFO and MUTATE name them. */
enum jobs_set { SET_SCHEDULED, SET_RETRIES, SET_DEAD, JOBS_SETS };

enum jobs_presence { PRESENCE_AWAY, PRESENCE_DEAF, PRESENCE_HEARS };

/*
 * A job was taken: the entry, reserved, and what its worker is to be sent
 * (borrowed during the call); or a negative result, and NULL for both.
 */
struct jobs_delivery {
	const char *payload; /* the stored form */
	size_t payload_len;
	const char *failure; /* NULL: none */
	size_t failure_len;
	int64_t enqueued_at;
};
typedef void jobs_taken(void *ctx, int result, const struct err *why,
    struct entry *e, const struct jobs_delivery *d);

/* Who is to have a job as soon as that is stored. */
struct jobs_waiter {
	const char *wid;  /* borrowed until done */
	jobs_taken *done; /* a negative result: there is no job */
	void *ctx;
};

struct jobs_options {
	int64_t worker_grace;   /* ns; how long a dead worker may come back */
	int64_t worker_silence; /* ns from its last beat; 0: for ever */
	int64_t restart_grace;  /* ns; any worker, after a start; 0: for ever */
	int64_t result_retention; /* ns; 0: no results are kept */
	int64_t push_window;      /* ns; 0: each PUSH is a job of its own */
	int64_t worker_deaths;    /* so many fail a job; 0: they never do */
};

/* What its owner is told, on the loop. */
struct jobs_hooks {
	/* A job was put into this queue. */
	void (*queued)(void *ctx, struct queue *q);
	/*
	 * A job is about to come into this queue, which is empty and has none
	 * on its way: who waits for it? Whoever is named waits no more until
	 * its done call. False: nobody does.
	 */
	bool (*awaited)(void *ctx, struct queue *q, struct jobs_waiter *w);
	/* Something about a job went wrong that no client asked for. */
	void (*trouble)(void *ctx, const char *jid, const char *what);
	/* Whether a worker is connected, and can be told of jobs. */
	enum jobs_presence (*presence)(void *ctx, const char *wid);
	void *ctx;
};

struct jobs;

/*
 * queues and counters are borrowed and outlive it; hooks and options are
 * copied. NULL: memory is short.
 */
struct jobs *
jobs_new(struct ev_loop *loop, struct queues *queues, struct counters *counters,
    const struct jobs_hooks *hooks, const struct jobs_options *options);

/* Frees every entry. All changes must have been heard of. Accepts NULL. */
void jobs_free(struct jobs *j);

/* A row found at start; rows come in any order. 0, -ENOMEM, or -EINVAL for one that makes no sense. */
int jobs_load(struct jobs *j, const struct store_job *row);

/* The same for a note; after every row. */
int jobs_load_note(struct jobs *j, enum store_note note, const char *wid,
    const char *jid, int64_t value);

/*
 * After everything is loaded: makes it ready to be used and starts the clocks;
 * from now on changes go to this store (borrowed).
 */
void jobs_start(struct jobs *j, struct store *store);

/* How a move ended: 0, or a negative errno with why->text for the client. */
typedef void jobs_done(void *ctx, int result, const struct err *why);

/*
 * Stores a job that job_check() has passed; into its queue, with a time ahead
 * into the scheduled set, or at once reserved for whoever waits for it: then
 * one commit is enough for both. Everything needed is copied. Returns 0, then
 * done is called once, later; or -ENOMEM. Returns 1, and done is not called,
 * when a job of this jid was stored within the push window.
 */
int
jobs_push(struct jobs *j, const struct job *job, jobs_done *done, void *ctx);

/*
 * Takes the first job of the queue, which must not be empty, for wid. After a
 * negative result it is back in its place (-ENOENT: it is gone for good).
 * Returns 0 or -ENOMEM.
 */
int jobs_take(struct jobs *j, struct queue *q, const char *wid,
    jobs_taken *done, void *ctx);

/* The same for one that has not reached its worker, unless it is settled. */
void jobs_give_back(struct jobs *j, struct entry *e);

/*
 * Which reserved job is meant, as reservations_find() reads it: the jid, the
 * worker that speaks ("": a connection without a wid), and whether that
 * worker must be the holder.
 */
struct jobs_claim {
	const char *jid;
	size_t jid_len;
	const char *wid;
	bool exact;
};

/*
 * ACK, FAIL and RELEASE. Return 0, then done is called once; -ENOENT when
 * nobody who is meant holds such a job, nor had one that waits in its queue
 * since its worker was away for too long, and that nobody has taken (ACK and
 * FAIL end that one); -EBUSY while it is on its way there; -ENOMEM. A second
 * answer for a job
 * whose first is still on its way to the disk waits for that one; done then
 * gets -EALREADY when the first one has settled it. result: JSON_NONE or what
 * is to be kept of it.
 */
int jobs_ack(struct jobs *j, const struct jobs_claim *claim,
    const struct json *result, jobs_done *done, void *ctx);
int jobs_fail(struct jobs *j, const struct jobs_claim *claim,
    const struct fail_report *report, jobs_done *done, void *ctx);

/* Puts it back where it was in its queue, as if it had not been taken. */
int jobs_release(
    struct jobs *j, const struct jobs_claim *claim, jobs_done *done, void *ctx);

/*
 * The worker has the jobs that are named, and no others: what else is reserved
 * for it goes back, as by jobs_release(). What is just being settled is waited
 * for. Returns 0, then done is called once; 1, and done is not called, when
 * there is nothing to go back; -ENOMEM.
 */
int jobs_keep_only(struct jobs *j, const char *wid, struct held held,
    jobs_done *done, void *ctx);

/*
 * Cancels every job of this jid: one that waits is removed; one that runs is
 * kept from running again, its worker told with its next beat, and dead when it
 * ends without an ACK, whatever its `retry`. Returns 0, then done is called
 * once, with what was done so far even on failure. -ENOENT: there is none;
 * -EBUSY: it is being moved just now; -EOWNERDEAD: it is among the dead;
 * -ENOTSUP: its worker can be told nothing; -ENOSPC: too much is to be told
 * already; -ENOMEM.
 */
struct jobs_cancelled {
	size_t removed;
	size_t told;
};
typedef void jobs_cancel_done(void *ctx, int result, const struct err *why,
    const struct jobs_cancelled *done);
int jobs_cancel(struct jobs *j, const char *jid, size_t len,
    jobs_cancel_done *done, void *ctx);

/*
 * All connections of this worker were closed by its host, without END. Unless
 * it comes back within the grace, what it holds goes to the queues, uncounted;
 * a job with which too many workers have died fails instead.
 */
void jobs_worker_gone(struct jobs *j, const char *wid);

/*
 * It has no connection any more, and nobody knows whether it lives. The same,
 * worker_silence after it was heard (monotonic), unless that is 0.
 */
void jobs_worker_lost(struct jobs *j, const char *wid, int64_t heard);

void jobs_worker_back(struct jobs *j, const char *wid);

/* What workers are still to be told; what came out of jobs. Borrowed. */
struct news *jobs_news(const struct jobs *j);

struct results *jobs_results(const struct jobs *j);

/* How many jobs of each jobtype there are. Borrowed. */
const struct tally *jobs_tally(const struct jobs *j);

/*
 * Moves one member of a set that is in no one's hands: to its queue, to the
 * dead, or away. The entry must not be touched afterwards. 0; or, with the
 * entry still in no one's hands, -ENOENT (a FLUSH has taken it) or -ENOMEM.
 */
enum jobs_move { MOVE_REQUEUE, MOVE_KILL, MOVE_DISCARD };
int jobs_move(struct jobs *j, struct entry *e, enum jobs_move what,
    jobs_done *done, void *ctx);

/*
 * Reads a member's payload. The entry is in no one's hands until done. Returns
 * as jobs_move().
 */
typedef void jobs_seen(void *ctx, int result, const struct err *why,
    struct entry *e, const struct jobs_delivery *d);
int jobs_read(struct jobs *j, struct entry *e, jobs_seen *done, void *ctx);

/*
 * Takes all members out of a set, for jobs_read(); each is then to be given to
 * jobs_move() or jobs_put_back(), whatever is flushed meanwhile.
 */
struct jobs_list {
	struct entry **at; /* owned: free() */
	size_t count;
};
int jobs_empty_set(struct jobs *j, enum jobs_set set, struct jobs_list *out);

/* Puts an entry that was not moved back into its set; frees it when a FLUSH has
 * taken it meanwhile. */
void jobs_put_back(struct jobs *j, struct entry *e);

/* Forgets every job, queue content and count. 0 or -ENOMEM. */
int jobs_flush(struct jobs *j, jobs_done *done, void *ctx);

/* Each job counts once, in its queue, in a set or as reserved; what is being
 * taken from its queue is reserved already. */
size_t jobs_in_set(const struct jobs *j, enum jobs_set set);
size_t jobs_reserved(const struct jobs *j);

/* How many a clock has moved, and how often it woke: INFO's "tasks". */
struct jobs_task {
	uint64_t cycles;
	uint64_t moved;
	double seconds;
};
const struct jobs_task *jobs_task(const struct jobs *j, enum jobs_set set);
uint64_t jobs_reaped(const struct jobs *j);

#endif
