/*
 * quiet - the verb that lets no more jobs be fetched.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/quiet.h"

#include <stdio.h>

#include "cli/call.h"

static const char usage[] =
    "Usage: faktotum quiet [--socket PATH | -c FILE]\n"
    "Let the supervisor on this host fetch no more jobs.\n"
    "\n"
    "Jobs that are here run on; faktotum resume ends it. It lasts over a\n"
    "reload and an upgrade in place, not over a restart. The server is not\n"
    "told: its own word for quiet cannot be taken back.\n"
    "\n" CALL_OPTIONS_HELP "\n"
    "Exit status: 0 it is quiet, 1 it is shutting down,\n" CALL_STATUS_HELP;

static int
on_line(void *ctx, const struct json *object)
{
	(void)ctx;
	printf("quiet: no more jobs are fetched; %.0f at work\n",
	    call_number(object, "busy"));
	return 0;
}

int
quiet_main(int argc, char **argv)
{
	struct call_options o = { .verb = "quiet", .usage = usage };

	return call_order(&o, "{\"request\":\"quiet\"}", on_line, argc, argv);
}
