/*
 * hidden - variables that hold a secret, taken out of the environment.
 *
 * /proc shows a process's first environment to everybody who shares its user,
 * and programs that we start could read it there. What was taken out is kept
 * in memory of ours, so that the configuration can be read again.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_HIDDEN_H
#define CLI_HIDDEN_H

#include "base/state.h"

/* Overwrites the variable where it stands. Nothing happens without one. */
void hidden_take(const char *name);

/* getenv(3) that still sees them. */
const char *hidden_lookup(const char *name);

/* For a successor, which must not find them in its environment. */
void hidden_save(struct state_writer *w);
void hidden_load(struct state_reader *r);

/* Wipes and frees everything. */
void hidden_forget(void);

#endif
