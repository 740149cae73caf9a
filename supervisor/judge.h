/*
 * judge - how a program ended, read in the light of its handler's settings.
 *
 * handlers/verdict knows what ends look like, config/ what the operator says
 * of them; here the two meet.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JUDGE_H
#define SUPERVISOR_JUDGE_H

#include "config/settings.h"
#include "handlers/run.h"
#include "handlers/verdict.h"

/*
 * Fills *v: verdict_clear(). error is what the program said of its failure, or
 * NULL; it counts when the exit status is one. refusal says why a program
 * that succeeded did not: PushRefused; or NULL. Never fails.
 */
void judge(struct verdict *v, const struct handler *how,
    const struct run_facts *facts, const struct message *error,
    const char *refusal);

#endif
