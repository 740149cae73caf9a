/*
 * metrics - the server in numbers, as Prometheus reads them (text 0.0.4).
 *
 * Everything is read from the parts at the moment of the scrape; what counts
 * up begins with the process, unless its help says otherwise.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "base/buf.h"

struct server;

/* Appends the page. Returns as buf_append(); then out holds a part. */
int metrics_put(struct buf *out, const struct server *s);

#endif
