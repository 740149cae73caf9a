/*
 * scratch - a private directory for each dispatch, removed afterwards.
 *
 * All lie below one directory of this process, which only its user can enter.
 * An empty one goes with a single call; one with something in it is removed
 * by rm(1), one rm at a time, beside the loop.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_SCRATCH_H
#define SUPERVISOR_SCRATCH_H

#include <ev.h>

#include "base/err.h"
#include "handlers/spawner.h"

struct scratch;

/*
 * Makes the directory of this process below tmpdir. Returns NULL with *e set.
 * spawner is borrowed.
 */
struct scratch *scratch_open(struct ev_loop *loop, struct spawner *spawner,
    const char *tmpdir, struct err *e);

/*
 * Removes everything; waits for that, at most 5 s. Accepts NULL. To be called
 * before spawner_free() and after the last run has ended.
 */
void scratch_close(struct scratch *s);

/* Returns the path, owned: free(); NULL with *e set. */
char *scratch_make(struct scratch *s, const char *name, struct err *e);

/* path is as scratch_make() gave it, and is only read during the call. */
void scratch_remove(struct scratch *s, const char *path);

#endif
