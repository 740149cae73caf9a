/*
 * server - the job server: owns its parts, starts and stops them.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <ev.h>
#include <stdint.h>

#include "base/err.h"
#include "config/server_settings.h"

struct server;

/*
 * Opens the store, reads what is in it, and listens: at the socket that the
 * service manager holds, else where settings say, which is borrowed.
 * Returns NULL with *e set; e->code tells what kind of trouble: EADDRINUSE
 * or EADDRNOTAVAIL for an address, EINVAL for one that is none; EBUSY,
 * EUCLEAN, ENOSPC, … for the data.
 */
struct server *server_start(
    struct ev_loop *loop, struct server_settings *settings, struct err *e);

/* The port that the kernel gave, for port 0. */
uint16_t server_port(const struct server *s);

/* "127.0.0.1:7419", as it really listens. Borrowed. */
const char *server_address(const struct server *s);

/* The service manager hears that clients are welcome. */
void server_ready(struct server *s);

/*
 * SIGHUP: passwords and certificates are those of next from now on, for new
 * connections, and so are jobtypes and weights; all else is for the next start. Takes next; NULL: the settings
 * are bad, and nothing changes. What happened is in the log.
 */
void server_reload(struct server *s, struct server_settings *next);

/*
 * Stops accepting; fetches that wait are answered with nothing, what is on
 * its way to the disk is finished and answered, what was sent behind that is
 * refused, then every connection is
 * closed and the loop broken (ev_break).
 */
void server_stop(struct server *s);

/* SIGTTIN: what is here, as the service manager hears it, goes to the log. */
void server_tell(struct server *s);

/* Closes the store and frees everything. Accepts NULL. */
void server_free(struct server *s);

#endif
