/*
 * resume - the verb that lets jobs be fetched again.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/resume.h"

#include <stdio.h>

#include "cli/call.h"

static const char usage[] =
    "Usage: faktotum resume [--socket PATH | -c FILE]\n"
    "Let the supervisor on this host fetch jobs again.\n"
    "\n"
    "Takes back faktotum quiet, the signal TSTP, and faktotum drain while "
    "jobs\n"
    "are still at work. When the server asked for quiet, too, it is refused: "
    "a\n"
    "server does not take that back, and only a restart ends it.\n"
    "\n" CALL_OPTIONS_HELP "\n"
    "Exit status: 0 jobs are fetched, 1 refused,\n" CALL_STATUS_HELP;

static int
on_line(void *ctx, const struct json *object)
{
	(void)ctx;
	printf("jobs are fetched; %.0f at work\n", call_number(object, "busy"));
	return 0;
}

int
resume_main(int argc, char **argv)
{
	struct call_options o = { .verb = "resume", .usage = usage };

	return call_order(&o, "{\"request\":\"resume\"}", on_line, argc, argv);
}
