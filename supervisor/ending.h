/*
 * ending - how a job's end is told: to the log, the metrics and the server.
 *
 * For supervisor/dispatch.c and stops.c, which decide what became of the job
 * and give its slot back.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_ENDING_H
#define SUPERVISOR_ENDING_H

#include "handlers/run.h"
#include "handlers/verdict.h"
#include "protocol/outcome.h"
#include "supervisor/task.h"

/* The job fails without a program having run. f is borrowed. */
void ending_refused(struct task *t, const struct failure *f);

/* The job's data do not fit its program (BadArgument). why is borrowed. */
void ending_misfit(struct task *t, const char *why);

/*
 * It is not run, since its handler does not work here: it is given back where
 * the server can do that, else it fails with f, borrowed.
 */
void ending_given_back(struct task *t, const struct failure *f);

/* It is not run, since we end; somebody else is to do it. */
void ending_returned(struct task *t);

/* Whether its program may finish though we end (shutdown.ephemeral: wait). */
bool ending_may_wait(const struct task *t);

/* Its program has ended, and was judged. Nothing is reported of a lost job. */
void ending_ran(
    struct task *t, const struct run_facts *facts, const struct verdict *v);

#endif
