/*
 * change - new settings, new labels, a new program: while jobs go on.
 *
 * For supervisor/supervisor.c. What can be changed is for reload, how a
 * program is replaced for upgrade; here the parts hear of it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CHANGE_H
#define SUPERVISOR_CHANGE_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "supervisor/supervisor.h"

/* For lifecycle_hooks: HUP and USR2. ctx is the supervisor. */
void change_reload(void *ctx);
void change_upgrade(void *ctx);

/* For the watcher `turn`, active while the server is to hear new labels. */
void change_turn(struct ev_loop *loop, ev_prepare *w, int revents);

/* Makes s->upgrade if the settings want it. Returns 0 or -ENOMEM. */
int change_prepare(struct supervisor *s);

/* Whether a child of this process is the program of a job. */
bool change_owns(void *ctx, pid_t pid);

/* What a predecessor saved: first who we are and who wanted quiet (enum
 * lifecycle_quiet), then, last of all, the jobs. */
void change_load_identity(struct supervisor *s, bool *ready, unsigned *quiet);
void change_load_work(struct supervisor *s);

#endif
