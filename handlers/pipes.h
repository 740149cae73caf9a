/*
 * pipes - what joins a program to us, made for it or before it is known.
 *
 * Four pipes take some 20 us, an eighth of what lies between the arrival of a
 * job and its program's exec; so who has nothing to do makes a set ready.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_PIPES_H
#define HANDLERS_PIPES_H

#include <stdbool.h>

enum { PIPES_LAST = 3 }; /* the highest number that a program finds open */

enum { PIPES_R, PIPES_W };

/*
 * Descriptors, -1 where there is none. All are close-on-exec and above
 * PIPES_LAST, and those that we keep do not block.
 */
struct pipes {
	int in[2]; /* without feed: /dev/null and -1 */
	int out[2];
	int err[2];
	int control[2];
	int report[2]; /* of spawn() alone */
};

/* With nothing open. */
extern const struct pipes pipes_none;

/*
 * Opens in, out, err and control where they are not open yet. Returns 0, or -1
 * with errno; what is open then stays, and may be used.
 */
int pipes_make_ready(struct pipes *ready);

/*
 * Opens what a program needs, taking from ready (NULL: nothing is) what is
 * there. Returns 0, or -1 with errno: then the caller closes *p.
 */
int pipes_open(struct pipes *p, bool feed, bool control, struct pipes *ready);

/* As one of the set: ours is the end that does not block, or -1. */
int pipes_open_one(int fds[2], int ours);

/* A pair of sockets that keep the bounds of messages. */
int pipes_open_pair(int fds[2]);

/* Closes what is open. */
void pipes_close(struct pipes *p);

/* Closes *fd, if it is open. */
void pipes_close_one(int *fd);

#endif
