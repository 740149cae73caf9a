/*
 * control_socket - a listening local socket and its name in the file system.
 *
 * It gets its name only when it has its mode and its group, so that nobody
 * can connect before. The name that a dead supervisor left is replaced; that
 * of one who answers is not.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CONTROL_SOCKET_H
#define SUPERVISOR_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/state.h"
#include "config/control_settings.h"
#include "supervisor/access.h"

enum { CONTROL_GUESTS_MAX = 64 };

struct control_socket {
	int fd; /* -1: there is none */
	char path[CONTROL_SOCKET_MAX + 1];
	dev_t dev; /* of the name, to know it again */
	ino_t ino;
	struct access_rule rule;
	/* Connected, and nothing heard of them yet; owned until somebody
	 * listens to them. */
	int guests[CONTROL_GUESTS_MAX];
	size_t nguests;
};

/*
 * Listens at path, mode 0600; with a group 0660 and the group's. Returns 0;
 * a negative errno with *e set, fd then is -1: -EADDRINUSE when somebody
 * answers there, -EEXIST when the name belongs to something that is no socket.
 */
int control_socket_open(struct control_socket *s, const char *path,
    const char *group, struct err *e);

/* Whether an open socket is what these settings ask for. */
bool control_socket_fits(
    const struct control_socket *s, const char *path, const char *group);

/* The name goes too, if it is still ours, and guests are sent away. Nothing
 * happens without a socket. */
void control_socket_close(struct control_socket *s);

/* For a successor: it goes on listening, and no guest is turned away. */
void
control_socket_save(const struct control_socket *s, struct state_writer *w);
void control_socket_load(struct control_socket *s, struct state_reader *r);

#endif
