/*
 * run - settings, server, log; then the supervisor until it ends.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/run.h"

#include <errno.h>
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
#include "supervisor/generation.h"
#include "supervisor/handover.h"
#include "supervisor/security.h"
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
    "first wait, a third one the second. TSTP: no new jobs, until faktotum\n"
    "resume. HUP: read FILE again.\n"
    "USR2: go on as the executable that is on disk now; HUP does that too "
    "when\n"
    "it is another one.\n"
    "\n"
    "Exit status: 0 stopped in order, 64 wrong usage, 66 FILE cannot be read,\n"
    "71 the system refuses something, 78 a mistake in FILE or in the URL.\n";

struct options {
	const char *file;
	const char *server;
	const char *check; /* the state that we would have to go on from */
	char **argv;       /* what we were started with; owned array */
	bool tls;          /* a server that was found wants it */
};

/* Returns -1 to go on, else the exit status. */
static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "server", required_argument, NULL, 's' },
		{ "upgrade-check", required_argument, NULL, 'u' },
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
		case 'u':
			o->check = optarg;
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
find_servers(const struct options *o, const struct settings *s,
    struct servers *found, struct err *e)
{
	if (o->server != NULL) {
		struct url *u = &found->urls[0];
		int r = server_url(o->server, u, e);

		found->count = 1;
		found->tls = r == 0 && u->tls;
		if (r == 0 && u->has_password)
			r = err_set(e, EINVAL,
			    "everybody can read a command line; the password "
			    "belongs into the configuration or FAKTORY_URL");
		return r == 0 ? 0 : err_wrap(e, "--server");
	}
	return server_urls_of(s, found, e);
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

/* Settings and their texts as a generation. NULL after telling why not. */
static struct generation *
load_generation(
    const char *file, settings_tell *tell, settings_tell *warn, int *status)
{
	struct sources src = { 0 };
	struct settings *s = NULL;
	struct generation *g = NULL;
	struct err e;

	*status = load_settings(file, hidden_lookup, tell, warn, &s, &src);
	if (*status == 0) {
		g = generation_new(s, hidden_lookup, &e);
		if (g == NULL) {
			tell(NULL, e.text);
			*status = EX_OSERR;
		} else {
			generation_keep(g, &src);
		}
	}
	sources_clear(&src);
	return g;
}

/* With its certificates, if the server wants TLS. */
static int
secure(struct generation *g, const struct options *o, struct err *e)
{
	if (!o->tls)
		return 0;
	int r = generation_secure(g, e);
	if (r == 0)
		security_warn(g->settings);
	return r;
}

/* For supervisor_parts.reload; ctx is the options. */
static struct generation *
reload(void *ctx)
{
	const struct options *o = ctx;
	struct err e;
	int status;
	struct generation *g =
	    load_generation(o->file, log_mistake, log_warning, &status);

	if (g == NULL || secure(g, o, &e) == 0)
		return g;
	log_mistake(NULL, e.text);
	generation_drop(g);
	return NULL;
}

static void
save(void *ctx, struct state_writer *w)
{
	(void)ctx;
	hidden_save(w);
}

/* Takes first. */
static int
work(struct options *o, struct generation *first, const struct servers *servers,
    struct state_reader *handover)
{
	const struct supervisor_parts parts = { .servers = servers->urls,
		.nservers = servers->count,
		.reload = reload,
		.argv = o->argv,
		.save = save,
		.handover = handover,
		.lookup = hidden_lookup,
		.ctx = o };
	struct err e;

	log_open(first->settings->log_format, first->settings->log_level);
	struct supervisor *v = supervisor_new(&parts, first, &e);
	if (v == NULL) {
		fprintf(stderr, "faktotum run: %s\n", e.text);
		return e.code == ENOTSUP ? EX_CONFIG : EX_OSERR;
	}
	supervisor_run(v);
	supervisor_free(v);
	return EX_OK;
}

/* With the variables that the running supervisor keeps hidden, from stdin. */
static int
read_secrets(void)
{
	static char bytes[64 * 1024];
	struct state_reader r;
	size_t len = fread(bytes, 1, sizeof bytes, stdin);
	int result = state_open(&r, bytes, len, HANDOVER_VERSION);

	if (result == 0)
		hidden_load(&r);
	explicit_bzero(bytes, sizeof bytes);
	return result < 0 || r.failed ? -1 : 0;
}

/* Whether we could take the place of the supervisor that asks. */
static int
upgrade_check(const struct options *o)
{
	struct servers servers;
	struct err e;
	int status;

	if (atoi(o->check) != HANDOVER_VERSION || read_secrets() < 0) {
		fprintf(stderr,
		    "faktotum %s goes on from state %d, the running one has "
		    "%s: a restart is needed\n",
		    FAKTOTUM_VERSION, HANDOVER_VERSION, o->check);
		return EX_UNAVAILABLE;
	}
	struct generation *g = load_generation(
	    o->file, load_tell_mistake, load_tell_warning, &status);
	if (g != NULL &&
	    (find_servers(o, g->settings, &servers, &e) < 0 ||
		(servers.tls && generation_secure(g, &e) < 0))) {
		fprintf(stderr, "%s\n", e.text);
		status = EX_CONFIG;
	}
	generation_drop(g);
	hidden_forget();
	return status;
}

/*
 * Goes on from what a predecessor in this process saved, if there is any. Its
 * settings are for the case that the file has become bad since the check.
 */
static bool
take_over(struct handover *h, struct generation **carried)
{
	struct err e;
	int r = handover_take(h, &e);

	*carried = NULL;
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "upgrade",
		    "%s; %zu programs were killed, their jobs come back when "
		    "their reservations end",
		    e.text, handover_orphan(NULL, NULL));
	if (r <= 0)
		return false;
	hidden_load(&h->reader);
	*carried = generation_load(&h->reader, hidden_lookup, &e);
	return true;
}

/*
 * first, or NULL after telling which certificate cannot be used. Jobs that
 * run already are not ended for that: a reload may mend it.
 */
static struct generation *
secured(const struct options *o, struct generation *first, bool over)
{
	struct err e;

	if (secure(first, o, &e) == 0)
		return first;
	if (over) {
		log_say(LOG_LEVEL_ERROR, "tls", "%s", e.text);
		return first;
	}
	fprintf(stderr, "%s\n", e.text);
	generation_drop(first);
	return NULL;
}

static int
start(struct options *o)
{
	struct handover h;
	struct generation *carried;
	struct servers servers;
	struct err e;
	int status;

	handover_hush();
	bool over = take_over(&h, &carried);
	struct generation *first = load_generation(
	    o->file, load_tell_mistake, load_tell_warning, &status);

	if (first == NULL && carried != NULL)
		first = generation_hold(carried);
	generation_drop(carried);
	if (first != NULL &&
	    find_servers(o, first->settings, &servers, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		generation_drop(first);
		first = NULL;
		status = EX_CONFIG;
	}
	if (first != NULL) {
		o->tls = servers.tls;
		first = secured(o, first, over);
		status = EX_CONFIG;
	}
	if (first != NULL) {
		hide_environment();
		status = work(o, first, &servers, over ? &h.reader : NULL);
	}
	handover_clear(&h);
	explicit_bzero(&servers, sizeof servers);
	hidden_forget();
	return status;
}

/* getopt(3) may change the order of what it is given. */
static int
keep_arguments(struct options *o, int argc, char **argv)
{
	static char name[] = "faktotum";

	o->argv = calloc((size_t)argc + 2, sizeof *o->argv);
	if (o->argv == NULL)
		return -1;
	o->argv[0] = name;
	memcpy(o->argv + 1, argv, (size_t)argc * sizeof *argv);
	return 0;
}

int
run_main(int argc, char **argv)
{
	struct options o = { 0 };
	int status;

	if (keep_arguments(&o, argc, argv) < 0)
		return EX_OSERR;
	status = read_options(argc, argv, &o);
	if (status < 0)
		status = o.check != NULL ? upgrade_check(&o) : start(&o);
	free(o.argv);
	return status;
}
