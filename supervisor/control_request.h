/*
 * control_request - one line of JSON that says what an operator wants.
 *
 *   {"request":"status"}                   {"request":"quiet"}
 *   {"request":"tail"}  with "jid":"..."   {"request":"resume"}
 *   {"request":"cancel","jid":"..."}       {"request":"drain"} "wait":true
 *
 * A pure function over bytes. A member that is unknown, stands twice or does
 * not belong to the request is refused: a typing error must not become
 * another order.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CONTROL_REQUEST_H
#define SUPERVISOR_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "protocol/job.h"

/* Bytes of a line without its end: a jid, each byte escaped. */
enum { CONTROL_LINE_MAX = 8 * 1024 };

enum control_verb {
	CONTROL_STATUS,
	CONTROL_TAIL,
	CONTROL_CANCEL,
	CONTROL_QUIET,
	CONTROL_RESUME,
	CONTROL_DRAIN,
	CONTROL_VERBS,
};

struct control_request {
	enum control_verb verb;
	char jid[JOB_JID_MAX + 1]; /* "": none was given */
	bool wait;
};

const char *control_verb_name(enum control_verb v);

/*
 * Reads a line, without its end. Returns 0, or -EINVAL with *e set; *q is
 * then not to be used.
 */
int control_request_read(
    const char *line, size_t len, struct control_request *q, struct err *e);

#endif
