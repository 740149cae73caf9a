/*
 * door - a listening socket, and who knocks at it.
 *
 * A few are let in at each turn of the loop, so that a crowd keeps it from
 * nothing else. While the process has no descriptor to spare the door is
 * closed for half a second: the knock would be heard again at once, for ever.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DOOR_H
#define SUPERVISOR_DOOR_H

#include <ev.h>

/* fd is non-blocking and close-on-exec, and the callee's. */
typedef void door_came(void *ctx, int fd);

struct door {
	ev_io knock;
	ev_timer rest; /* active while there was no descriptor */
	struct ev_loop *loop;
	door_came *came;
	void *ctx;
};

/* fd, non-blocking and listening, is borrowed until door_close(). */
void door_open(
    struct door *d, struct ev_loop *loop, int fd, door_came *came, void *ctx);
void door_close(struct door *d);

#endif
