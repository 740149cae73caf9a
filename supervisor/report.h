/*
 * report - tell the server how each job ended, and do not forget.
 *
 * An outcome stays here until the server has confirmed it. After a lost
 * conversation everything unconfirmed is sent again, in order, until the
 * job's reservation ends; the server treats a second ACK as harmless and
 * answers a second FAIL with "Job not found", which counts as told. Follow-up
 * jobs that are sent twice have the same jids.
 *
 * The first outcome for a while goes out at once. Those that follow within
 * REPORT_GATHER go out together when it is over: one write, and one commit of
 * a server that makes each commit durable. Nobody waits for them but the
 * server: the journal has them, and their slots are free.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_REPORT_H
#define SUPERVISOR_REPORT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/state.h"
#include "protocol/job.h"
#include "supervisor/client.h"

enum {
	REPORT_MANY = 1000,              /* outcomes, and */
	REPORT_BYTES = 16 * 1024 * 1024, /* bytes: no new jobs above these */
};

#define REPORT_BURIAL_GAP 0.1   /* s */
#define REPORT_GATHER     0.005 /* s */

struct report;
struct journal;
struct notice;

struct report_counts {
	uint64_t acked;   /* confirmed */
	uint64_t failed;  /* confirmed */
	uint64_t buried;  /* of failed: moved to the dead by us */
	uint64_t unknown; /* "Job not found" */
	uint64_t dropped; /* refused for good, or not confirmed in time */
	uint64_t pushes;  /* PUSHBs of follow-up jobs, confirmed */
	uint64_t pushes_refused;
	uint64_t released; /* RELEASEs, confirmed */
	uint64_t copied;   /* PUSHes of copies, confirmed */
};

/*
 * server (how its URL is shown), client and journal are borrowed; journal
 * NULL: what is not confirmed dies with the process. What the journal has
 * found is taken up. settled is called whenever there is one outcome less to
 * wait for. Returns NULL when memory is short.
 */
struct report *
report_new(struct ev_loop *loop, const char *server, struct client *client,
    struct journal *journal, void (*settled)(void *ctx), void *ctx);

/* Accepts NULL. */
void report_free(struct report *r);

/*
 * Takes up an outcome; *n is copied. expires (clock_mono()): when the
 * reservation ends. Without memory for it the outcome is lost, which is
 * logged and counted as dropped: the server will hear nothing and hand the
 * job out again when the reservation has ended.
 *
 * Follow-up jobs go out before the ACK, which waits for their reply; a server
 * that refuses one makes the job fail with errtype PushRefused. The job of a
 * FAIL that is to be buried is moved once that is confirmed, which makes a
 * stock server scan the whole set; so such moves go out one by one,
 * REPORT_BURIAL_GAP apart.
 */
void report_tell(struct report *r, const struct notice *n, int64_t expires);

/* To be called when the client's conversation is up. */
void report_up(struct report *r);

/* Something else goes to the server now: what waits to be sent goes with it. */
void report_hurry(struct report *r);

/* Outcomes not yet confirmed. */
size_t report_waiting(const struct report *r);

/* Those of them that are on their way: sent, not answered yet. */
size_t report_sent(const struct report *r);

/* Appends the jid of each outcome not yet confirmed: held_put_jid(). */
int report_put_held(const struct report *r, struct buf *line);

/*
 * Its server has handed out a job of which it may have an outcome to hear, and
 * has reserved it until `expires` (clock_mono()). True: that outcome is here,
 * and is told for this reservation too; the job must not be run. Another job
 * of the same jid, or a further attempt, came into its queue at another time.
 *
 * An outcome is known a little longer than it waits: where the conversation is
 * younger than its job, the job may have been handed out just before the
 * outcome came there, and the confirmation is read first. Up to REPORT_MANY are
 * known like that; report_forget(): all that were confirmed before that time
 * (clock_mono()), that of the oldest question that is not answered yet.
 */
bool report_knows(struct report *r, const struct job *again, int64_t expires);
void report_forget(struct report *r, int64_t before);

/* Whether no more jobs should be taken until some are confirmed. */
bool report_full(const struct report *r);

/* Whether the server of this conversation takes jobs back, uncounted. */
bool report_takes_back(const struct report *r);

struct report_counts report_counts(const struct report *r);

/* Counts and outcomes; load into a new one. What the journal has brought
 * already is not taken twice. */
void report_save(const struct report *r, struct state_writer *w);
void report_load(struct report *r, struct state_reader *from);

#endif
