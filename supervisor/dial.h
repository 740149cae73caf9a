/*
 * dial - a TCP connection begun without waiting for it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_DIAL_H
#define SUPERVISOR_DIAL_H

#include <netdb.h>

/*
 * Returns a non-blocking, close-on-exec socket, owned, that becomes writable
 * once it is connected or has failed; or a negative errno. The kernel looks
 * for a dead peer within a minute, and sends small requests at once.
 */
int dial_start(const struct addrinfo *address);

/* What became of it: 0 or a positive errno. */
int dial_result(int fd);

#endif
