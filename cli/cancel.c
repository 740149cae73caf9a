/*
 * cancel - the verb that ends jobs.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/cancel.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/log_line.h"
#include "cli/call.h"

enum { TEXT_MAX = 64 * 1024 };

static const char usage[] =
    "Usage: faktotum cancel JID... [--socket PATH | -c FILE]\n"
    "End jobs that are at work on this host.\n"
    "\n"
    "The job's program and all it started get TERM, and KILL when the job's\n"
    "grace is over; a held job is not run. The job fails with errtype\n"
    "Cancelled, and the server tries it again if it has retries left. The\n"
    "program finds the word \"user\" in $FAKTORY_TMPDIR/cancel.\n"
    "\n" CALL_OPTIONS_HELP "\n"
    "Exit status: 0 all are ending, 1 one or more are not "
    "here,\n" CALL_STATUS_HELP;

/* The name is the caller's own, and may still hold anything. */
static void
tell(const char *jid)
{
	struct buf *text = buf_new(TEXT_MAX);

	if (text != NULL && log_line_escape(text, jid, strlen(jid)) == 0)
		printf("%.*s is ending\n", (int)buf_len(text), buf_front(text));
	buf_free(text);
}

static int
cancel(const struct call_options *o, const char *jid)
{
	struct buf *request = buf_new(TEXT_MAX);
	struct call c = { .options = o };
	int status = EX_USAGE;

	if (request != NULL && *jid != '\0' &&
	    call_put_request(request, "cancel", jid) == 0) {
		c.request = buf_front(request);
		status = call_make(&c);
	} else {
		(void)call_options_misuse(o, "a JID is empty or too long");
	}
	buf_free(request);
	if (status == EX_OK)
		tell(jid);
	return status;
}

int
cancel_main(int argc, char **argv)
{
	struct call_options o = { .verb = "cancel", .usage = usage };
	int status = call_options_read(&o, argc, argv), worst = EX_OK;

	if (status >= 0)
		return status;
	if (o.nwords == 0)
		return call_options_misuse(&o, "which job? JID is missing");
	for (size_t i = 0; i < o.nwords; i++) {
		status = cancel(&o, o.words[i]);
		if (status > 1)
			return status;
		if (status > worst)
			worst = status;
	}
	return worst;
}
