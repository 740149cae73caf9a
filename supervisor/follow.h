/*
 * follow - peers of the control socket who listen to programs.
 *
 * One listens to a job, from what is kept of its output on, until it ends;
 * or to all jobs, from now on, until it hangs up. What a peer is too slow for
 * is left out: no program ever waits.
 *
 *   {"listening":true}    the first
 *   {"began":"JID","jobtype":"..."}
 *   {"jid":"JID","jobtype":"...","stream":"stdout","level":"info",
 *    "more":false,"text":"..."}
 *   {"ended":"JID"}
 *   {"left_out":N}     by supervisor/control: lines that had no room
 *   {"done":true}      the last, after the end of the one job
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_FOLLOW_H
#define SUPERVISOR_FOLLOW_H

#include "supervisor/control.h"
#include "supervisor/dispatch.h"

struct follows;

/* Watches d from now on; borrowed. Returns NULL when memory is short. */
struct follows *follows_new(struct dispatch *d);

/* After the conversations have ended. Accepts NULL. */
void follows_free(struct follows *f);

/*
 * From now on the peer stays and hears. jid NULL: all jobs. Returns 0, -ENOENT
 * when there is no such job, -ENOMEM; then nothing has been said to it.
 */
int follows_add(struct follows *f, struct control_peer *peer, const char *jid);

#endif
