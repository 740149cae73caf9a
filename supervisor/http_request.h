/*
 * http_request - cut one GET or HEAD off the front of what a client sent.
 *
 * A pure function over bytes. Headers are measured and not interpreted; a
 * body is never waited for.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_HTTP_REQUEST_H
#define SUPERVISOR_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
	HTTP_LINE_MAX = 8 * 1024,  /* of the request line */
	HTTP_HEAD_MAX = 16 * 1024, /* of all up to the empty line */
};

struct http_request {
	bool head;        /* HEAD: no body in the answer */
	const char *path; /* borrowed; without the query */
	size_t path_len;
};

/*
 * Returns 200 with *q filled, 0 when more must be read, or the status to
 * answer with: 400, 405 (another method) or 431 (too long).
 */
int http_request_read(const char *bytes, size_t len, struct http_request *q);

#endif
