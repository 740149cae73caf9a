/*
 * notify - the only words spoken to systemd.
 *
 * All of it does nothing where no service manager listens.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

struct notify;

/* Writes one line of status into out, with its NUL. */
typedef void notify_status(void *ctx, char *out, size_t cap);

/*
 * From now on the watchdog is fed from the loop, twice as often as asked for,
 * and the status is told every 5 s when it has changed. Returns NULL when
 * memory is short.
 */
struct notify *
notify_new(struct ev_loop *loop, notify_status *status, void *ctx);

/* Accepts NULL. */
void notify_free(struct notify *n);

/* Only the first call of each counts. */
void notify_ready(struct notify *n);

/*
 * Between these two the manager's `systemctl reload` waits. The second says
 * READY again only when it was said before.
 */
void notify_reloading(struct notify *n);
void notify_reloaded(struct notify *n);

/* READY was said by the program whose place we took. */
void notify_was_ready(struct notify *n);
bool notify_is_ready(const struct notify *n);

/*
 * From now until the notify is freed the manager is told again and again that
 * the end takes a while more. Whoever calls it sees to it that it has one.
 */
void notify_stopping(struct notify *n);

/* The status may have changed: it is told at once, not within 5 s. */
void notify_look(struct notify *n);

#endif
