/*
 * queue_state - a queue paused, resumed, removed, and how late it is.
 *
 * As every move of a job, each takes effect in memory when it is on disk.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_QUEUE_STATE_H
#define SERVER_QUEUE_STATE_H

#include "server/jobs.h"

/*
 * Sets whether jobs of the queue may be fetched; one that nobody has pushed
 * to yet is listed from now on. Waiting FETCHes are served when it is
 * resumed. Returns 0, then done is called once, later; or -ENOMEM.
 */
int queue_state_pause(
    struct jobs *j, struct queue *q, bool paused, jobs_done *done, void *ctx);

/*
 * Forgets the jobs that wait in the queue, its name and its pause. Jobs that
 * are reserved, scheduled or to be retried stay. Returns as above.
 */
int
queue_state_remove(struct jobs *j, struct queue *q, jobs_done *done, void *ctx);

/*
 * Asks when the job that is next to be fetched was put into the queue (wall
 * clock, 0: there is none, or nobody knows). Returns as above.
 */
typedef void queue_state_since(void *ctx, int64_t enqueued_at);
int queue_state_latency(
    struct jobs *j, const struct queue *q, queue_state_since *done, void *ctx);

#endif
