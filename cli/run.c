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
#include "cli/hidden.h"
#include "cli/load.h"
#include "cli/server_url.h"
#include "config/settings.h"
#include "protocol/url.h"
#include "supervisor/supervisor.h"

static const char usage[] =
    "Usage: faktotum run -c FILE [--server URL]\n"
    "Fetch jobs and run their programs until told to stop.\n"
    "\n"
    "  -c, --config FILE  what to run, and how: a file, with FILE.d/*.yaml\n"
    "                     beside it, or a directory of *.yaml\n"
    "  -s, --server URL   tcp://host[:port]; default: server: in FILE, then\n"
    "                     FAKTORY_PROVIDER and FAKTORY_URL, then\n"
    "                     tcp://localhost:7419\n"
    "  -h, --help         this text\n"
    "\n"
    "TERM and INT end it in order: no new jobs, then shutdown: grace: for "
    "those\n"
    "that run, then TERM, their own grace, KILL. A second signal skips the\n"
    "first wait, a third one the second. TSTP: no new jobs. HUP: read FILE "
    "again.\n"
    "\n"
    "Exit status: 0 stopped in order, 64 wrong usage, 66 FILE cannot be read,\n"
    "71 the system refuses something, 78 a mistake in FILE or in the URL.\n";

struct options {
	const char *file;
	const char *server;
};

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

/* The URL may hold the password; whoever shares our user can read it. */
static void
hide_environment(void)
{
	const char *provider = getenv("FAKTORY_PROVIDER");

	if (provider != NULL)
		hidden_take(provider);
	hidden_take("FAKTORY_PROVIDER");
	hidden_take("FAKTORY_URL");
	hidden_take("FAKTORY_PASSWORD");
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

static void
log_mistake(void *ctx, const char *message)
{
	(void)ctx;
	log_say(LOG_LEVEL_ERROR, "reload", "%s", message);
}

static void
log_warning(void *ctx, const char *message)
{
	(void)ctx;
	log_say(LOG_LEVEL_WARNING, "reload", "%s", message);
}

/* For supervisor_parts.reload; ctx is the options. */
static struct generation *
reload(void *ctx)
{
	const struct options *o = ctx;
	struct settings *s;
	struct err e;

	if (load_settings(
		o->file, hidden_lookup, log_mistake, log_warning, &s) != 0)
		return NULL;
	struct generation *g = generation_new(s, hidden_lookup, &e);
	if (g == NULL)
		log_mistake(NULL, e.text);
	return g;
}

/* Takes s. */
static int
work(struct options *o, struct settings *s, const struct url *server)
{
	const struct supervisor_parts parts = { .server = server,
		.password = s->password,
		.reload = reload,
		.ctx = o };
	struct err e;
	struct supervisor *v = NULL;

	log_open(s->log_format, s->log_level);
	struct generation *first = generation_new(s, hidden_lookup, &e);
	if (first != NULL)
		v = supervisor_new(&parts, first, &e);
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
	struct settings *s;
	struct url server;
	struct err e;
	int status = read_options(argc, argv, &o);

	if (status >= 0)
		return status;
	status = load_settings(
	    o.file, hidden_lookup, load_tell_mistake, load_tell_warning, &s);
	if (status != 0)
		return status;
	if (find_server(&o, s, &server, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		settings_free(s);
		return EX_CONFIG;
	}
	hide_environment();
	status = work(&o, s, &server);
	explicit_bzero(&server, sizeof server);
	hidden_forget();
	return status;
}
