/*
 * drain - the verb that ends a supervisor after its last job.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/drain.h"

#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/call.h"

enum { FLAG_WAIT = 1 };

static const char usage[] =
    "Usage: faktotum drain [--wait] [--socket PATH | -c FILE]\n"
    "Let the supervisor on this host finish its jobs, and end.\n"
    "\n"
    "No more jobs are fetched. Those that are here have all the time that\n"
    "their own limits give them, not only shutdown: grace. When all outcomes\n"
    "are told to the server, the supervisor ends with exit status 0. Until\n"
    "then faktotum resume takes it back, and TERM makes it sooner. A service\n"
    "manager with Restart=always starts a new one.\n"
    "\n"
    "      --wait         wait for the end, and tell how many jobs are "
    "left\n" CALL_OPTIONS_HELP "\n"
    "Exit status: 0 it drains, with --wait it has; 1 refused, called off, or\n"
    "programs were stopped or outcomes not told in the end,\n" CALL_STATUS_HELP;

struct progress {
	bool wait;
	bool bad;
};

static int
on_line(void *ctx, const struct json *object)
{
	struct progress *p = ctx;
	double busy = call_number(object, "busy");
	double untold = call_number(object, "untold");

	if (!p->wait)
		printf("no more jobs are fetched; %.0f at work, then it ends\n",
		    busy);
	else if (busy >= 0)
		printf("%.0f at work\n", busy);
	if (untold > 0)
		fprintf(stderr,
		    "faktotum drain: %.0f outcomes could not be told to the "
		    "server\n",
		    untold);
	bool interrupted = json_get(object, "interrupted").kind == JSON_TRUE;
	if (interrupted)
		fputs("faktotum drain: programs were stopped: a signal, or "
		      "shutdown: grace after one\n",
		    stderr);
	p->bad = p->bad || untold > 0 || interrupted;
	(void)fflush(stdout);
	return 0;
}

int
drain_main(int argc, char **argv)
{
	struct call_options o = {
		.verb = "drain", .usage = usage, .flags = { "wait" }
	};
	struct progress p = { 0 };
	struct call c = { .options = &o, .line = on_line, .ctx = &p };
	int status = call_options_read(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.nwords > 0)
		return call_options_misuse(&o, "there are words too many");
	p.wait = c.patient = c.again = o.given & FLAG_WAIT;
	c.request = p.wait ? "{\"request\":\"drain\",\"wait\":true}"
			   : "{\"request\":\"drain\"}";
	status = call_make(&c);
	if (status != EX_OK || !p.wait)
		return status;
	if (!p.bad)
		puts("drained");
	return p.bad ? 1 : EX_OK;
}
