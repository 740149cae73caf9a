/*
 * catalogue - the jobtypes that the settings name, ready to hold jobs against.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_CATALOGUE_H
#define SERVER_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/server_settings.h"
#include "protocol/job.h"

struct catalogue;

/* Why a job does not fit. */
enum unfit { UNFIT_JOBTYPE, UNFIT_ARGS, UNFIT_EFFORT, UNFITS };

/* Empty: every job fits. NULL: memory is short. */
struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue *c); /* accepts NULL */

/*
 * From now on these jobtypes are known; none: every job fits. Nothing of j is
 * kept. On failure nothing has changed: -EINVAL with *e set, the text with the
 * place of the mistake; -ENOMEM.
 */
int
catalogue_load(struct catalogue *c, const struct jobtypes *j, struct err *e);

/* Tells the first mistake of each schema; returns how many there are. */
size_t catalogue_check(const struct jobtypes *j,
    void (*tell)(void *ctx, const char *message), void *ctx);

/* What holding the jobs of a command of so many bytes may cost; steps. */
uint64_t catalogue_effort(size_t bytes);

/*
 * 0 when a job that job_check() has passed may come in, be it that it fits, or
 * that what is wrong with it is only told in the log. Else -EINVAL with *e
 * set, in words for the client. Effort is taken from *left.
 */
int catalogue_judge(
    struct catalogue *c, const struct job *job, uint64_t *left, struct err *e);

/* How many jobs did not fit since the start. */
uint64_t
catalogue_count(const struct catalogue *c, enum unfit why, bool refused);

#endif
