/*
 * run - settings, server, log; then the supervisor until it ends.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/run.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "base/log.h"
#include "cli/server_url.h"
#include "config/document.h"
#include "config/settings.h"
#include "protocol/url.h"
#include "supervisor/supervisor.h"

static const char usage[] =
    "Usage: faktotum run -c FILE [--server URL]\n"
    "Fetch jobs and run their programs until told to stop.\n"
    "\n"
    "  -c, --config FILE  what to run, and how\n"
    "  -s, --server URL   tcp://host[:port]; default: server: in FILE, then\n"
    "                     FAKTORY_PROVIDER and FAKTORY_URL, then\n"
    "                     tcp://localhost:7419\n"
    "  -h, --help         this text\n"
    "\n"
    "TERM and INT end it in order: no new jobs, then shutdown: grace: for "
    "those\n"
    "that run, then TERM, their own grace, KILL. A second signal skips the\n"
    "first wait, a third one the second. TSTP: no new jobs.\n"
    "\n"
    "Exit status: 0 stopped in order, 64 wrong usage, 66 FILE cannot be read,\n"
    "71 the system refuses something, 78 a mistake in FILE or in the URL.\n";

struct options {
	const char *file;
	const char *server;
};

static const char *
from_environment(const char *name)
{
	return getenv(name);
}

static void
tell(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "%s\n", message);
}

/* Returns -1 to go on, else the exit status. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "server", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:s:h", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 's':
			o->server = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		default:
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "faktotum run: %s is one word too many\n",
		    argv[optind]);
		return EX_USAGE;
	}
	if (o->file == NULL) {
		fputs("faktotum run: -c FILE is missing; see --help\n", stderr);
		return EX_USAGE;
	}
	return -1;
}

/* Overwrites a variable's value, so that /proc does not show it either. */
static void
wipe(const char *name)
{
	char *value = getenv(name);

	if (value == NULL)
		return;
	explicit_bzero(value, strlen(value));
	unsetenv(name);
}

/* The URL may hold the password; whoever shares our user can read it. */
static void
wipe_environment(void)
{
	char *provider = getenv("FAKTORY_PROVIDER");

	if (provider != NULL)
		wipe(provider);
	wipe("FAKTORY_PROVIDER");
	wipe("FAKTORY_URL");
	wipe("FAKTORY_PASSWORD");
}

static int
find_server(const struct options *o, const struct settings *s, struct url *u,
    struct err *e)
{
	if (o->server != NULL) {
		int r = server_url(o->server, u, e);

		if (r == 0 && u->has_password)
			r = err_set(e, EINVAL,
			    "everybody can read a command line; the password "
			    "belongs into the configuration or FAKTORY_URL");
		return r == 0 ? 0 : err_wrap(e, "--server");
	}
	return server_url_of(s, u, e);
}

static int
work(const struct settings *s, const struct url *server)
{
	struct err e;

	log_open(s->log_format, s->log_level);
	struct supervisor *v = supervisor_new(s, server, s->password, &e);
	if (v == NULL) {
		fprintf(stderr, "faktotum run: %s\n", e.text);
		return EX_OSERR;
	}
	supervisor_run(v);
	supervisor_free(v);
	return EX_OK;
}

int
run_main(int argc, char **argv)
{
	struct options o = { 0 };
	struct url server;
	struct err e;
	size_t len;
	int status = read_options(argc, argv, &o);

	if (status >= 0)
		return status;
	char *text = document_load(o.file, &len, &e);
	if (text == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return EX_NOINPUT;
	}
	struct settings *s =
	    settings_read(o.file, text, len, from_environment, tell, NULL);
	free(text);
	if (s == NULL)
		return EX_CONFIG;
	if (find_server(&o, s, &server, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		settings_free(s);
		return EX_CONFIG;
	}
	wipe_environment();
	status = work(s, &server);
	explicit_bzero(&server, sizeof server);
	settings_free(s);
	return status;
}
