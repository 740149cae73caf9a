/*
 * scratch - a private directory for each dispatch, removed afterwards.
 *
 * All lie below one directory of this process, which only its user can list;
 * each can be entered by its owner alone.
 * One that comes back as it was given out, empty and with its owner,
 * permissions and attributes unchanged, is kept for the next dispatch:
 * making and removing one costs more than all else that a start needs of the
 * file system. Everything else is removed, an empty one by a single call, one
 * with something in it by rm(1), one rm at a time, beside the loop.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_SCRATCH_H
#define SUPERVISOR_SCRATCH_H

#include <ev.h>

#include "base/err.h"
#include "base/state.h"
#include "handlers/spawner.h"

struct scratch;

/*
 * Makes the directory of this process below tmpdir. Returns NULL with *e set.
 * spawner is borrowed.
 */
struct scratch *scratch_open(struct ev_loop *loop, struct spawner *spawner,
    const char *tmpdir, struct err *e);

/* The directory goes on with the program that takes our place. */
void scratch_save(const struct scratch *s, struct state_writer *w);
struct scratch *scratch_load(struct ev_loop *loop, struct spawner *spawner,
    struct state_reader *r, struct err *e);

/*
 * Removes everything; waits for that, at most 5 s. Accepts NULL. To be called
 * before spawner_free() and after the last run has ended.
 */
void scratch_close(struct scratch *s);

/* Returns the path, owned: free(), or scratch_remove(). NULL with *e set. */
char *scratch_make(struct scratch *s, struct err *e);

/* Takes path, as scratch_make() gave it. Nobody uses it any more. */
void scratch_remove(struct scratch *s, char *path);

/* The same for one that somebody may go on using: it serves nobody else. */
void scratch_retire(struct scratch *s, char *path);

#endif
