/*
 * run_end - how a run ends once its leader has: what that left is waited for
 * or killed, the output drained, the leader reaped, the facts told.
 *
 * For handlers/run.c alone; run.h has the states. Each of these but
 * run_end_sooner() may free the run, which is then over.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_RUN_END_H
#define HANDLERS_RUN_END_H

#include "handlers/run_inside.h"

/* The leader is a zombie, and nobody watches for its end any more. */
void run_end_begin(struct run *r);

/* The timer has come, in LINGERING or a state behind it. */
void run_end_look(struct run *r);

/* In BURYING: the namespace's descriptor says that something has ended. */
void run_end_left(struct run *r);

/*
 * In LINGERING: what was left hears TERM, and KILL after the grace (ns); or
 * must be gone sooner than it heard before.
 */
void run_end_sooner(struct run *r, int64_t grace);

/* Hands the facts to done and frees the run; nothing of it may be open. */
void run_tell(struct run *r);

#endif
