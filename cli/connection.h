/*
 * connection - a conversation with the server for verbs that ask and leave.
 *
 * Blocking, one command and its reply at a time, each within a time limit and
 * under a ceiling. It speaks as a producer: no worker id, no heartbeat.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_CONNECTION_H
#define CLI_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "protocol/resp.h"
#include "protocol/tls.h"
#include "protocol/url.h"

struct connection;

/*
 * The server's address: text (from --server) if not NULL, else from the
 * environment. Returns 0, or -EINVAL with *e set.
 */
int connection_server(const char *text, struct url *u, struct err *e);

/*
 * Connects and shakes hands; timeout (ns) limits each connection attempt, the
 * TLS handshake and each reply. tls is for a URL that wants it, and held as
 * long as the connection; NULL: the system's CAs. A name is looked up within
 * the resolver's own time limits.
 * Returns NULL with *e set; e->code is EACCES when the server does not accept
 * the password, else nobody can be spoken to there. Free with
 * connection_close().
 */
struct connection *connection_open(
    const struct url *u, struct tls *tls, int64_t timeout, struct err *e);

/*
 * Sends VERB and its argument and waits for the reply. *reply is borrowed
 * until the next call; an error of the server's is a reply (RESP_ERROR).
 * Returns 0; or a negative errno with *e set, and then the connection is of
 * no more use and nobody knows whether the command was carried out.
 */
int connection_ask(struct connection *c, const char *verb, const char *arg,
    size_t len, struct resp *reply, struct err *e);

/* Says END when that is possible without waiting. Accepts NULL. */
void connection_close(struct connection *c);

#endif
