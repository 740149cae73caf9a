/*
 * status - the verb that shows a supervisor and its jobs, once.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/status.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cli/call_options.h"
#include "cli/snapshot.h"

enum { OUT_MAX = 64 * 1024 * 1024 };

static const char usage[] =
    "Usage: faktotum status [--json] [--socket PATH | -c FILE]\n"
    "Show the supervisor that runs on this host, and its jobs.\n"
    "\n"
    "      --json         one JSON document: supervisor, jobs, "
    "left_out\n" CALL_OPTIONS_HELP "\n"
    "A job is held (waits for its jobtype's concurrency), starting, running,\n"
    "or ending (told to stop). AGE counts from its start, LEFT until it is\n"
    "told to stop; of a held job from when it was asked for, and until it is\n"
    "given up.\n"
    "\n"
    "Exit status: 0 shown,\n" CALL_STATUS_HELP;

static int
show(const struct snapshot *s, int json)
{
	struct buf *out = buf_new(OUT_MAX);
	int r = -1;

	if (json) {
		snapshot_put_json(s, stdout);
		r = 0;
	} else if (out != NULL && snapshot_put_table(s, out, 0, 0) == 0) {
		fwrite(buf_front(out), 1, buf_len(out), stdout);
		r = 0;
	}
	buf_free(out);
	if (r < 0) {
		fputs("faktotum status: out of memory\n", stderr);
		return EX_OSERR;
	}
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

int
status_main(int argc, char **argv)
{
	struct call_options o = {
		.verb = "status", .usage = usage, .flags = { "json" }
	};
	struct snapshot s;
	int status = call_options_read(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.nwords > 0)
		return call_options_misuse(&o, "there are words too many");
	status = snapshot_take(&o, &s);
	if (status == EX_OK)
		status = show(&s, o.given != 0);
	snapshot_clear(&s);
	return status;
}
