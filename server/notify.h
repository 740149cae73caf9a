/*
 * notify - what the service manager hears of the server, and hands it.
 *
 * All of it does nothing where no service manager is.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct notify;

/*
 * Writes one line of status into out, with its NUL; returns whether all is
 * well enough for the watchdog to be fed.
 */
typedef bool notify_status(void *ctx, char *out, size_t cap);

/* Returns NULL when memory is short. */
struct notify *
notify_new(struct ev_loop *loop, notify_status *status, void *ctx);

/* Accepts NULL. */
void notify_free(struct notify *n);

/* Whether a watchdog wants to be fed. */
bool notify_watched(const struct notify *n);

/*
 * Call for each job that is read at the start: once a second the manager hears
 * how many there are, and that it takes a while more.
 */
void notify_loading(struct notify *n);

/*
 * From now on the watchdog is fed twice as often as asked for, as long as the
 * loop turns and the status says so; a status that has changed is told every
 * 5 s.
 */
void notify_ready(struct notify *n);

/* Between these two the manager's reload waits. */
void notify_reloading(struct notify *n);
void notify_reloaded(struct notify *n);

/* Only the first call counts. The end may take 30 s from now. */
void notify_stopping(struct notify *n);

/*
 * The listening socket that the manager holds for us (systemd.socket(5)).
 * Returns it, non-blocking and ours to close; -ENOENT when there is none; with
 * *e set -EINVAL when it is no such socket or not the only one, or what the
 * system said.
 */
int notify_take_socket(struct err *e);

#endif
