/*
 * op - one move of one job, from the decision until the disk has answered.
 *
 * Shared by the files that make up jobs: jobs.c, push.c, sets.c, take.c,
 * settle.c and due.c (what comes due by itself). Ops are kept for reuse with
 * their buffers, so the hot path does not allocate once it is warm.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_OP_H
#define SERVER_OP_H

#include "base/buf.h"
#include "base/clock.h"
#include "server/jids.h"
#include "server/jobs.h"
#include "server/recent.h"
#include "server/tally.h"

/* How long a worker is told what it has lost, after the end of its time. */
#define JOBS_NEWS_NS (INT64_C(3600) * CLOCK_NS_PER_S)

/* How long the dead are kept. */
#define JOBS_DEAD_NS (INT64_C(180) * 24 * 3600 * CLOCK_NS_PER_S)

/* Someone else who waits for the same settlement. */
struct op_echo {
	jobs_done *done;
	void *ctx;
	struct op_echo *next;
};

struct op {
	struct store_change change;
	struct jobs *jobs;
	struct entry *entry;
	jobs_done *done; /* may be NULL */
	void *ctx;
	jobs_taken *taken; /* may be NULL */
	void *taken_ctx;
	struct op_echo *echoes;
	struct reservation *reservation; /* comes into force when done: TAKE,
	                                    and ADD of what is awaited */
	struct queue *into;              /* where it is coming; may be NULL */
	struct recent_push *recent;      /* ADD; may be NULL */
	struct buf *payload;
	struct buf *failure;
	char failed_at[TIMESTAMP_MAX];
	bool failed;           /* counts as a failure when done */
	bool forsaken;         /* its worker was away for too long */
	store_done *heard;     /* what is really told */
	int64_t flushed_below; /* CLEAR: takes the jobs of smaller ids */
	struct op *next_spare;
};

/* Everything that is due at a wall-clock time and in one place. */
struct set {
	struct jobs *jobs;
	enum jobs_set which;
	struct agenda *agenda; /* of entries, by wall-clock time */
	size_t out;            /* members in nobody's hands for the moment */
	size_t moving;         /* of those, moved because they were due */
	ev_periodic alarm;
	struct jobs_task task;
};

struct jobs {
	struct ev_loop *loop;
	struct store *store;
	struct queues *queues;     /* borrowed */
	struct counters *counters; /* borrowed */
	struct jobs_hooks hooks;
	struct reservations *reservations;
	size_t taking;       /* on their way from a queue to a reservation */
	struct jids *jids;   /* every entry but those of a push under way */
	struct tally *tally; /* with those */
	struct news *news;
	struct results *results;
	struct recent *recent; /* NULL: there is no push window */
	struct map *absent;    /* absent.c */
	struct map *late;      /* late.c: reservations, by the entry's id */
	struct jobs_options options;
	struct set sets[JOBS_SETS];
	ev_timer reaper; /* the next reservation to expire */
	ev_timer sweep;  /* of news that nobody has come for */
	uint64_t reaped;
	uint64_t rounds;       /* of held.c, so far */
	size_t flushing;       /* FLUSHes on their way to the disk */
	int64_t flushed_below; /* ids: a FLUSH has taken them from the disk */
	int64_t next_id;       /* also the next seq */
	int64_t not_before;    /* wall; after the disk refused */
	struct op *spare;
	size_t nspare;
};

/* A blank op for an entry. NULL when memory is short. */
struct op *op_new(struct jobs *j, struct entry *e);
void op_free(struct op *op);

/*
 * Sends it; done is set by the caller. What a FLUSH has taken from the disk
 * meanwhile is gone, -ENOENT, also when the disk refuses the change: nothing
 * is there to go back to. Until op_free() the queue that it leads
 * to, if any, counts it as coming.
 */
void op_send(struct op *op, enum store_kind kind, store_done *done);

/* Whether a FLUSH has taken it from the disk, while it was in nobody's hands. */
bool jobs_is_flushed(const struct jobs *j, const struct entry *e);

/* Frees an entry whose push has failed: it counts no more. */
void jobs_unmake(struct jobs *j, struct entry *e);

/* Frees an entry that is gone for good. */
void jobs_drop(struct jobs *j, struct entry *e);

/* Puts an entry into the place its state names. */
void jobs_place(struct jobs *j, struct entry *e);
struct set *jobs_set_of(struct jobs *j, enum job_state state);

/*
 * Makes sure that one more entry, beside those on their way, can be placed in
 * the set without asking for memory. 0 or -ENOMEM.
 */
int set_make_room(struct set *s);

/* Says what the row is to become; the rest of `job` stays blank. */
void op_aim(struct op *op, enum job_state state, int64_t seq, int64_t due);

/* After a MOVE: the entry becomes what the row has become. */
void op_arrive(struct op *op);

/*
 * Aims a new or queued entry at a reservation for wid, of which the row says
 * what it is to say. 0 or -ENOMEM.
 */
int op_reserve(struct op *op, const char *wid, int64_t now);

/*
 * What op_reserve() has prepared is on disk: the reservation comes into force,
 * and op->taken hears of it, or of having no memory for it. change.taken is
 * what the worker is to be sent.
 */
void op_hand_out(struct op *op);

/* Ends a reservation as a failure: retry, death or discard. 0 or -ENOMEM. */
int jobs_settle_failed(struct jobs *j, struct reservation *r,
    const struct fail_report *report, jobs_done *done, void *ctx);

/*
 * Lists the queue, on disk in front of its first job, in the same batch at the
 * latest. 0 or -ENOMEM.
 */
int jobs_make_known(struct jobs *j, struct queue *q);

/* A number of the row as the entry keeps it: cut to what fits. */
int32_t jobs_narrow(int64_t n);

/*
 * Ends a reservation because its worker died: back to the queue, or failed
 * when too many have died with the job. 0 or -ENOMEM.
 */
int jobs_outlive(struct jobs *j, struct reservation *r);

/*
 * Back to its place, uncounted, as by RELEASE; who settles it already is waited
 * for, and done then hears -EALREADY. 0 or -ENOMEM.
 */
int
jobs_return(struct jobs *j, struct reservation *r, jobs_done *done, void *ctx);

/* absent.c */
int absent_load(struct jobs *j, const char *wid);
void absent_start(struct jobs *j);
void absent_clear(struct jobs *j); /* after everything was flushed */
void absent_free(struct jobs *j);

/*
 * late.c: a reservation that was ended because its worker was away is kept
 * aside as long as its job waits in its queue. It is taken over, and freed
 * when there is no memory for that. late_forget() for every entry that is
 * taken or gone.
 */
void late_keep(struct jobs *j, struct reservation *r);
void late_forget(struct jobs *j, struct entry *e);

/*
 * The same reservation is in force once more, out of the queue, for a word of
 * its worker that is to be settled at once; or late_lapse(): the job is back in
 * its place. Returns 0; -ENOENT: there is none that is meant; -ENOMEM.
 */
int late_revive(
    struct jobs *j, const struct jobs_claim *claim, struct reservation **out);
void late_lapse(struct jobs *j, struct reservation *r);
void late_clear(struct jobs *j); /* at the end */

/*
 * After a reservation was ended by someone else than its worker, in the same
 * batch: that worker is to be told.
 */
void jobs_tell_lost(struct jobs *j, const struct reservation *r);

/* A job of this jid may be pushed again at once. */
void jobs_forget_push(struct jobs *j, const char *jid);

/* Frees what waits in a queue, once it is gone from the disk. */
void jobs_forget_queue(struct jobs *j, struct queue *q);

/* due.c */
int due_init(struct jobs *j);
void due_start(struct jobs *j);
void due_free(struct jobs *j);
void due_changed(struct set *s); /* its first member may be another one */
void due_reservations_changed(struct jobs *j);

#endif
