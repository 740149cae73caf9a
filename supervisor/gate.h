/*
 * gate - the jobs that are here and may not start yet, and for how long.
 *
 * A job waits in its lane because as many of its handler run as may, because
 * everything pauses, or because its handler's breaker (supervisor/breaker) is
 * not closed. The first two waits last as long as the reservation allows. The
 * third lasts for the breaker's `hold`, and only while no more than a quarter
 * of all slots wait: other handlers go on meanwhile. Then the job is given back,
 * if its queue is left alone and the server can take it; else it fails, or,
 * when that would be its last failure, is tried after all.
 *
 * For supervisor/dispatch.c, stops.c and carry.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_GATE_H
#define SUPERVISOR_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "handlers/run.h"
#include "handlers/verdict.h"
#include "supervisor/dispatch.h"
#include "supervisor/lane.h"
#include "supervisor/task.h"

void gate_init(struct dispatch *d);
void gate_stop(struct dispatch *d);

/* Whether a job of this lane may start now. */
bool gate_is_open(const struct dispatch *d, const struct lane *lane);

/* A job that has just come: it starts, waits or fails. */
void gate_admit(struct task *t);

/* Puts a job into its lane, to be started later; and takes it out. */
void gate_hold(struct task *t);
void gate_unhold(struct task *t);

/* A job's program is being started. */
void gate_begin(struct task *t);

/* A job's program has ended; its breaker hears of it. */
void gate_note(
    struct task *t, const struct run_facts *facts, const struct verdict *v);

/*
 * Its program could not be started, which gate_note() has heard: whether it
 * is still to be run. Then it waits in its lane, in front of the others, and
 * nothing is left of the try; or it has gone back to the server, and *t is
 * gone.
 */
bool gate_takes_back(struct task *t, const char *why);

/*
 * No program can be started for it: the disk is full, or memory is short. It
 * waits like that one, or fails. errnum: an errno.
 */
void gate_unavailable(struct task *t, int errnum, const char *why);

/* Settings or lanes have changed: breakers may be switched off, or due. */
void gate_renew(struct dispatch *d);

/* All breakers, for the program that takes our place. */
void gate_save(const struct dispatch *d, struct state_writer *w);
void gate_load(struct dispatch *d, struct state_reader *r);

#endif
