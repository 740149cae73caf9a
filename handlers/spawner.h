/*
 * spawner - start programs beside the event loop.
 *
 * spawn() makes its caller wait for exec, and an exec from a hung network
 * file system can take for ever. So a few threads do the waiting, and the
 * loop hears of each result in its turn. Threads are added, up to
 * SPAWNER_THREADS_MAX, while all of them are stuck and work is waiting. What
 * waits for a transient unit has threads of its own, with the same ceiling.
 * While they have nothing to do, the pipes of the next program are made.
 *
 * The loop must not be libev's default loop: that one reaps every child of
 * the process itself, and takes the exit statuses with it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_SPAWNER_H
#define HANDLERS_SPAWNER_H

#include <ev.h>

#include "handlers/spawn.h"

enum { SPAWNER_THREADS_MAX = 8 };

struct spawner;

/*
 * Returns NULL when memory or threads are short. A SIGCHLD that is ignored
 * (by whoever started us) gets its default back, or there were no exit
 * statuses. Keeps the loop running only while something is being started.
 */
struct spawner *spawner_new(struct ev_loop *loop);

/*
 * Ends the threads, and so kills the leaders of whatever still runs: see
 * spawn(). Results not yet delivered are closed and their children killed and
 * reaped; done is called for nothing any more. A thread stuck in exec is left
 * behind after a second; then what its request points at must stay until the
 * program exits. Not from within a done. Accepts NULL.
 */
void spawner_free(struct spawner *s);

/* Called once, on the loop: child is filled when result is 0, else why. */
typedef void spawner_done(void *ctx, int result,
    const struct spawn_child *child, const struct spawn_failure *why);

/*
 * Asks for a start. req and what it points at are borrowed until done has
 * been called. Returns a ticket, valid until then, or NULL when memory is
 * short.
 */
struct spawner_ticket;
struct spawner_ticket *spawner_start(struct spawner *s,
    const struct spawn_request *req, spawner_done *done, void *ctx);

#endif
