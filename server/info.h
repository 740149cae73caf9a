/*
 * info - the server's report about itself, as INFO and /stats give it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_INFO_H
#define SERVER_INFO_H

#include "base/buf.h"

struct server;

/* Appends the JSON object. Returns as buf_append(). */
int info_put(struct buf *out, const struct server *s);

#endif
