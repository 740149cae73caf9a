/*
 * journald_socket - the way into the system's journal, as it is just now.
 *
 * One datagram an entry; what is too large for one goes as a sealed memfd(2).
 * The journal may be restarted at any time: its socket is looked for again.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOURNALD_SOCKET_H
#define SUPERVISOR_JOURNALD_SOCKET_H

#include <stddef.h>
#include <sys/un.h>

struct journald_socket {
	struct sockaddr_un address;
	int fd; /* -1: not connected */
};

/* Does not connect yet. Returns 0, or -ENAMETOOLONG. */
int journald_socket_init(struct journald_socket *s, const char *path);

/*
 * Sends one entry, and waits `patience` (ms) at most for room. Returns 0;
 * -EAGAIN when the journal takes nothing now, or is not there; another
 * negative errno when it will never take this one.
 */
int journald_socket_send(
    struct journald_socket *s, const char *bytes, size_t len, int patience);

/* May be used again afterwards. */
void journald_socket_close(struct journald_socket *s);

#endif
