/*
 * dial - a TCP connection begun without waiting for it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DIAL_H
#define SUPERVISOR_DIAL_H

#include <netdb.h>

/* ms that what we sent may go without the peer's kernel confirming it. A
 * network that is away for less than this costs no conversation. */
enum { DIAL_USER_TIMEOUT = 30 * 1000 };

/*
 * Returns a non-blocking, close-on-exec socket, owned, that becomes writable
 * once it is connected or has failed; or a negative errno. The kernel finds
 * out within a minute that an idle conversation's peer is gone, and sends
 * small requests at once.
 */
int dial_start(const struct addrinfo *address);

/* What became of it: 0 or a positive errno. */
int dial_result(int fd);

#endif
