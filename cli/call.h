/*
 * call - one request to a running supervisor, and the lines of its answer.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_CALL_H
#define CLI_CALL_H

#include <stdbool.h>

#include "base/json.h"
#include "cli/call_options.h"

/* Seconds for an answer that does not depend on a job. */
enum { CALL_PATIENCE = 10 };

/*
 * A line of the answer, an object; borrowed during the call. Returns 0, or an
 * exit status that ends the call.
 */
typedef int call_line(void *ctx, const struct json *object);

struct call {
	const struct call_options *options;
	const char *request; /* without line end */
	bool patient;        /* lines may take as long as they like */
	/*
	 * An end without a last line is followed by a new call: the supervisor
	 * became another program, or was restarted.
	 */
	bool again;
	call_line *line; /* may be NULL */
	void *ctx;
};

/*
 * Returns the exit status: EX_OK after a line with "done", that line
 * included; else what is wrong has been told on standard error: 1 the
 * supervisor refuses this request, EX_UNAVAILABLE nobody answers, EX_NOPERM it
 * takes no orders from this user, EX_TEMPFAIL it is too busy.
 */
int call_make(struct call *c);

/*
 * A verb that takes no words and makes one request: its whole main(). line is
 * told the answer.
 */
int call_order(struct call_options *o, const char *request, call_line *line,
    int argc, char **argv);

/* Appends {"request":"VERB","jid":"..."} and a NUL; jid may be NULL. As
 * buf_append(). */
int call_put_request(struct buf *out, const char *verb, const char *jid);

/* A number; -1 where there is none. */
double call_number(const struct json *object, const char *name);

/* A text, escaped for a terminal, appended to out. As buf_append(). */
int call_put_text(struct buf *out, const struct json *object, const char *name);

#endif
