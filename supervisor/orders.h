/*
 * orders - what the operator asks over the control socket, done.
 *
 *   status   one line about the supervisor, one for each job
 *   tail     supervisor/follow
 *   cancel   ends a job: TERM, its grace, KILL; it fails as Cancelled
 *   quiet    no more jobs are fetched
 *   resume   takes that back, and a drain too
 *   drain    quiet, and the end after the last job
 *
 * The last line of an answer has "done":true, or "error" and "code".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_ORDERS_H
#define SUPERVISOR_ORDERS_H

#include "base/err.h"

struct state_writer;
struct supervisor;

/*
 * Takes orders from now on where the settings say so; s->socket, s->orders. A
 * socket that was carried over goes on if it still fits. Returns 0, or
 * negative with *e set. A place that is not to be had is only logged when the
 * settings did not name it, or after an upgrade: jobs are at work.
 */
int orders_open(struct supervisor *s, struct err *e);

/* Ends all conversations and takes the name away. */
void orders_close(struct supervisor *s);

/* A job has ended, or an outcome was confirmed: for those who wait. */
void orders_progress(struct supervisor *s);

/* The supervisor goes on as another program: what was said is sent. */
void orders_flush(struct supervisor *s);

/* The socket and who is waiting there to be heard, for that program. */
void orders_save(struct supervisor *s, struct state_writer *w);

/* The supervisor has ended: those who wait hear how. */
void orders_over(struct supervisor *s);

#endif
