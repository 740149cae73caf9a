/*
 * notices - what a service manager is told, without ever waiting for it.
 *
 * systemd's protocol (sd_notify(3)): a datagram of lines to $NOTIFY_SOCKET.
 * sd_notify() itself waits when the manager's queue is full, and with it
 * everything that its caller does: a manager that hangs must not hang us.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_NOTICES_H
#define BASE_NOTICES_H

#include <stdbool.h>

/* Bytes of one notice; what is longer is cut. Notices that may wait. */
enum { NOTICES_TEXT_MAX = 512, NOTICES_MAX = 8 };

struct notices;

/*
 * Reads $NOTIFY_SOCKET, a path or an abstract address. Where there is none
 * every call does nothing. Returns NULL when memory is short.
 */
struct notices *notices_new(void);

/* What still waits is lost. Accepts NULL. */
void notices_free(struct notices *n);

/* Whether there is a manager. */
bool notices_wanted(const struct notices *n);

/*
 * Arrives, in order with the others: when the manager takes nothing just now
 * it waits here for notices_flush(). With NOTICES_MAX waiting the oldest goes.
 */
void notices_say(struct notices *n, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Lost when the manager takes nothing just now. For what is said again. */
void notices_hint(struct notices *n, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Tries again. Returns whether something waits still. */
bool notices_flush(struct notices *n);

#endif
