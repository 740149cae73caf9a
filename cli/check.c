/*
 * check - the verb that reads a configuration and tells what is wrong.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/check.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "cli/compare.h"
#include "cli/load.h"
#include "cli/server_url.h"
#include "cli/timespan.h"
#include "cli/unit.h"
#include "config/credentials.h"
#include "config/reference.h"
#include "config/settings.h"
#include "protocol/url.h"
#include "supervisor/containment.h"
#include "supervisor/lifecycle.h"
#include "supervisor/security.h"

static const char usage_text[] =
    "usage: faktotum check -c FILE [--unit UNIT] [--server [URL]]\n"
    "\n"
    "Reads a supervisor's configuration as `faktotum run` would, and tells "
    "all\n"
    "mistakes in it. Exit status: 0 no mistakes, 66 the file or the\n"
    "unit cannot be read, 69 the server cannot be asked, 71 systemd cannot,\n"
    "77 the server refuses the password, 78 mistakes.\n"
    "\n"
    "  -c, --config FILE  the file to check, with FILE.d/*.yaml beside it, or "
    "a\n"
    "                     directory of *.yaml\n"
    "      --unit UNIT    also: does the longest stop fit into the unit's\n"
    "                     TimeoutStopSec? A path is read as a unit file, "
    "without\n"
    "                     drop-ins; for a name systemctl is asked\n"
    "      --server [URL] also: ask the server for its queues and jobtypes, "
    "and\n"
    "                     compare; default: all servers of FILE\n"
    "      --reference    print every setting with its default, as Markdown\n"
    "      --help         print this text\n";

struct request {
	const char *file;
	const char *unit;   /* NULL: do not look */
	bool ask;           /* the server */
	const char *server; /* NULL: the configuration's */
};

static const char *
environment(const char *name)
{
	return getenv(name);
}

/* The certificates, whether or not this server wants them. */
static int
check_tls(const struct settings *s, bool wanted)
{
	struct err e = { 0 };
	struct tls *t = NULL;
	char place[SETTINGS_PLACE_MAX], text[512];

	if ((s->tls.given || wanted) && !tls_settings_are_elsewhere(&s->tls))
		t = security_make(s, &e);
	if (s->tls.given && !wanted) {
		snprintf(text, sizeof text,
		    "%s: tls: the server is at tcp://, so nothing is "
		    "encrypted; expected tcp+tls://",
		    settings_place(s, s->tls.at, place));
		load_tell_warning(NULL, text);
	}
	tls_drop(t);
	if (e.code == 0)
		return 0;
	fprintf(stderr, "%s\n", e.text);
	return EX_CONFIG;
}

/* The server's address, from the file or from the environment. */
static int
check_server(const struct settings *s)
{
	struct err e = { 0 };
	struct servers found;
	int r = server_urls_of(s, &found, &e);

	explicit_bzero(found.urls, sizeof found.urls);
	if (r == 0)
		return check_tls(s, found.tls);
	fprintf(stderr, "%s%s%s\n", s->nservers == 0 ? s->file : "",
	    s->nservers == 0 ? ": " : "", e.text);
	return EX_CONFIG;
}

static int64_t
longest_grace(const struct settings *s)
{
	int64_t longest = 0;

	for (size_t i = 0; i < s->nhandlers; i++)
		if (s->handlers[i].grace > longest)
			longest = s->handlers[i].grace;
	return longest;
}

/* Stopping is one timeline: it must be over before systemd kills us all. */
static int
check_unit(const struct settings *s, const char *unit)
{
	const int rest = LIFECYCLE_KILL_LIMIT + LIFECYCLE_REPORT_LIMIT;
	double drain = (double)s->shutdown_grace / 1e9;
	double grace = (double)longest_grace(s) / 1e9;
	struct err e = { 0 };
	int64_t limit;

	if (unit_stop_timeout(unit, &limit, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		if (e.code == EINVAL)
			return EX_CONFIG;
		return strchr(unit, '/') != NULL || e.code == ENOENT
		    ? EX_NOINPUT
		    : EX_OSERR;
	}
	if (limit == TIMESPAN_INFINITY ||
	    drain + grace + rest <= (double)limit / 1e9)
		return 0;
	fprintf(stderr,
	    "%s: shutdown.grace %.3g s + the longest grace of a job %.3g s + "
	    "%d s to kill and report = %.3g s, but %s has TimeoutStopSec "
	    "%.3g s, expected at least as much\n",
	    s->file, drain, grace, rest, drain + grace + rest, unit,
	    (double)limit / 1e9);
	return EX_CONFIG;
}

/* One that does not answer keeps nobody from asking the next. */
static int
ask_one(const struct settings *s, const struct url *u, bool named)
{
	struct err e = { 0 };
	char shown[URL_SHOWN_MAX];

	url_show(u, shown);
	if (named)
		printf("%s:\n", shown);
	int r = compare_server(s, u, stdout, &e);
	(void)fflush(stdout);
	if (r == 0)
		return 0;
	fprintf(stderr, "%s\n", e.text);
	return r == -EACCES ? EX_NOPERM : EX_UNAVAILABLE;
}

/* The server that text names, else all of the configuration. */
static int
ask_servers(const struct settings *s, const char *text)
{
	struct err e = { 0 };
	struct servers found = { .count = 1 };
	int status = 0;

	if ((text != NULL ? server_url(text, &found.urls[0], &e)
			  : server_urls_of(s, &found, &e)) < 0) {
		fprintf(
		    stderr, "%s%s\n", text != NULL ? "--server: " : "", e.text);
		return text != NULL ? EX_USAGE : EX_CONFIG;
	}
	for (size_t i = 0; i < found.count; i++) {
		int one = ask_one(s, &found.urls[i], found.count > 1);

		if (status == 0)
			status = one;
	}
	explicit_bzero(&found, sizeof found);
	return status;
}

/* The service manager, where programs are to have units. */
static int
check_units(const struct settings *s)
{
	struct err e = { 0 };

	if (containment_units(s, CONTAINMENT_PATIENCE, &e) == 0)
		return 0;
	fprintf(stderr, "%s\n", e.text);
	return EX_CONFIG;
}

static int
check_settings(const struct settings *s, const struct request *q)
{
	int status = check_server(s);

	settings_warnings(s, load_tell_warning, NULL);
	if (status == 0)
		status = check_units(s);
	if (status == 0 && q->unit != NULL)
		status = check_unit(s, q->unit);
	if (status == 0)
		printf("%s: ok, %zu handler%s\n", s->file, s->nhandlers,
		    s->nhandlers == 1 ? "" : "s");
	if (status == 0 && q->ask)
		status = ask_servers(s, q->server);
	return status;
}

static int
check_file(const struct request *q)
{
	struct settings *s;
	/* Whoever speaks with the server must know the password. */
	int status =
	    load_settings(q->file, q->ask ? environment : credentials_lookup,
		load_tell_mistake, load_tell_warning, &s, NULL);

	if (status != 0)
		return status;
	status = check_settings(s, q);
	settings_free(s);
	return status;
}

static int
misuse(const char *what)
{
	fprintf(stderr, "faktotum check: %s\n%s", what, usage_text);
	return EX_USAGE;
}

int
check_main(int argc, char **argv)
{
	enum { HELP = 256, REFERENCE, UNIT, SERVER };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "unit", required_argument, NULL, UNIT },
		{ "server", optional_argument, NULL, SERVER },
		{ "reference", no_argument, NULL, REFERENCE },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct request q = { 0 };
	int option;

	opterr = 0; /* the messages below name the verb */
	optind = 1;
	while ((option = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			q.file = optarg;
			break;
		case UNIT:
			q.unit = optarg;
			break;
		case SERVER:
			q.ask = true;
			q.server = optarg;
			/* "--server URL" as well as "--server=URL". */
			if (optarg == NULL && optind < argc &&
			    strstr(argv[optind], "://") != NULL)
				q.server = argv[optind++];
			break;
		case REFERENCE:
			reference_print(stdout);
			return 0;
		case HELP:
			fputs(usage_text, stdout);
			return 0;
		case ':':
			return misuse("an option needs a value");
		default:
			return misuse("an option is unknown");
		}
	}
	if (optind < argc)
		return misuse("too many words");
	if (q.file == NULL)
		return misuse("which file? -c FILE is missing");
	return check_file(&q);
}
