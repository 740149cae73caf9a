/*
 * status - the verb that shows a supervisor and its jobs, once.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cli/call_options.h"
#include "cli/snapshot.h"

enum { OUT_MAX = 64 * 1024 * 1024 };

static const char usage[] =
    "Usage: faktotum status [--json | --ready] [--socket PATH | -c FILE]\n"
    "Show the supervisor that runs on this host, and its jobs.\n"
    "\n"
    "      --ready        only whether it asks for jobs, and if not why\n"
    "      --json         one JSON document: supervisor, jobs, "
    "left_out\n" CALL_OPTIONS_HELP "\n"
    "A job is held (waits for its jobtype's concurrency), starting, running,\n"
    "or ending (told to stop). AGE counts from its start, LEFT until it is\n"
    "told to stop; of a held job from when it was asked for, and until it is\n"
    "given up.\n"
    "\n"
    "Exit status: 0 shown, and with --ready that it is; 1 it is "
    "not,\n" CALL_STATUS_HELP;

enum { JSON = 1 << 0, READY = 1 << 1, REASON_MAX = 1024 };

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

static int
tell_readiness(const struct snapshot *s)
{
	struct json why = json_get(&s->supervisor, "unready");
	bool ready = why.kind == JSON_NULL;
	char text[REASON_MAX];
	ssize_t n = ready ? 0 : json_decode_string(&why, text, sizeof text);

	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	if (ready)
		puts("ready");
	else
		printf("%.*s\n", n > 0 ? (int)n : 0, text);
	if (fflush(stdout) != 0)
		return EX_IOERR;
	return ready ? EX_OK : EXIT_FAILURE;
}

int
status_main(int argc, char **argv)
{
	struct call_options o = {
		.verb = "status", .usage = usage, .flags = { "json", "ready" }
	};
	struct snapshot s;
	int status = call_options_read(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.nwords > 0)
		return call_options_misuse(&o, "there are words too many");
	if (o.given == (JSON | READY))
		return call_options_misuse(
		    &o, "--json and --ready are two different answers");
	status = snapshot_take(&o, &s);
	if (status == EX_OK)
		status = (o.given & READY) != 0 ? tell_readiness(&s)
						: show(&s, o.given != 0);
	snapshot_clear(&s);
	return status;
}
