/*
 * main - faktotum-server, the program: options, signals, exit status.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "config/credentials.h"
#include "config/secret.h"
#include "config/server_settings.h"
#include "server/catalogue.h"
#include "server/certificates.h"
#include "server/exit_status.h"
#include "server/server.h"
#include "server/stock.h"
#include "server/verbs.h"

static const char usage[] =
    "Usage: faktotum-server [OPTION]...\n"
    "       faktotum-server backup FILE\n"
    "       faktotum-server check\n"
    "       faktotum-server import SOURCE\n"
    "Serves the Faktory protocol and keeps every acknowledged job on disk.\n"
    "\n"
    "  -c, --config FILE         read settings from FILE\n"
    "      --listen HOST:PORT    listen there (default 127.0.0.1:7419);\n"
    "                            port 0 takes a free one\n"
    "      --web HOST:PORT       answer /health, /stats and /metrics there "
    "over\n"
    "                            HTTP (default 127.0.0.1:7420); off: nowhere\n"
    "      --data DIR            keep the data there\n"
    "                            (default /var/lib/faktotum)\n"
    "      --port-file FILE      write the port number to FILE when ready\n"
    "      --check               only check the settings\n"
    "  -h, --help                show this\n"
    "      --version             show the version\n"
    "\n"
    "FAKTORY_PASSWORD, when set, is the password that clients must know.\n"
    "\n"
    "TERM and INT end it in order. HUP: read passwords and certificates "
    "again,\n"
    "for new connections, and jobtypes and weights. TTIN: say in the log "
    "what\n"
    "is here.\n"
    "\n"
    "Exit status: 0 stopped by a signal; 64 wrong usage; 66 no such file;\n"
    "69 the address cannot be had; 73 or 74 the data directory cannot be\n"
    "used; 78 wrong settings.\n";

struct options {
	const char *config;
	const char *listen;
	const char *web;
	const char *data;
	const char *port_file;
	bool check;
};

enum {
	OPT_LISTEN = 256,
	OPT_WEB,
	OPT_DATA,
	OPT_PORT_FILE,
	OPT_CHECK,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "web", required_argument, NULL, OPT_WEB },
	{ "data", required_argument, NULL, OPT_DATA },
	{ "port-file", required_argument, NULL, OPT_PORT_FILE },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void
tell_flag(int letter)
{
	const char *instead = stock_flag(letter);

	if (instead != NULL)
		fprintf(stderr,
		    "faktotum-server: -%c is a stock server's, here it is "
		    "%s\n",
		    letter, instead);
}

/* Returns -1 to go on, else the exit status. */
static int
read_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case OPT_LISTEN:
			o->listen = optarg;
			break;
		case OPT_WEB:
			o->web = optarg;
			break;
		case OPT_DATA:
			o->data = optarg;
			break;
		case OPT_PORT_FILE:
			o->port_file = optarg;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		case OPT_VERSION:
			puts("faktotum-server " FAKTOTUM_VERSION);
			return EX_OK;
		default:
			tell_flag(optopt);
			fputs("faktotum-server: see --help\n", stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr,
		    "faktotum-server: unexpected \"%s\"; see --help\n",
		    argv[optind]);
		return EX_USAGE;
	}
	return -1;
}

/* ---- settings ------------------------------------------------------------- */

static const char *
environment(const char *name)
{
	return getenv(name);
}

static void
tell(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "%s\n", message);
}

static void
warn(void *ctx, const char *message)
{
	(void)ctx;
	log_say(LOG_LEVEL_WARNING, "settings", "%s", message);
}

static int
replace(char **slot, const char *value)
{
	char *copy;

	if (value == NULL)
		return 0;
	copy = strdup(value);
	if (copy == NULL)
		return -ENOMEM;
	free(*slot);
	*slot = copy;
	return 0;
}

/* Returns 0, or the exit status. */
static int
override(struct server_settings *s, const struct options *o)
{
	if (replace(&s->listen, o->listen) < 0 ||
	    replace(&s->data, o->data) < 0 ||
	    replace(&s->web_listen, o->web) < 0) {
		fputs("faktotum-server: out of memory\n", stderr);
		return EX_OSERR;
	}
	if (o->web == NULL)
		return 0;
	if (strcmp(o->web, "off") == 0) {
		free(s->web_listen);
		s->web_listen = NULL;
	} else if (web_settings_exposed(s)) {
		fprintf(stderr,
		    "--web %s: others can reach it and there is no password, "
		    "expected a password, a loopback address, or web.public: "
		    "true in the configuration\n",
		    o->web);
		return EX_CONFIG;
	}
	return 0;
}

/* NULL with *status set when there is nothing to run with. */
static struct server_settings *
load_settings(const struct options *o, int *status)
{
	struct server_settings *s;

	if (o->config != NULL && access(o->config, R_OK) < 0) {
		fprintf(stderr, "%s: %s\n", o->config, strerror(errno));
		*status = EX_NOINPUT;
		return NULL;
	}
	s = server_settings_load(
	    o->config, o->check ? credentials_lookup : environment, tell, NULL);
	if (s == NULL) {
		*status = EX_CONFIG;
		return NULL;
	}
	*status = override(s, o);
	if (*status == 0)
		return s;
	server_settings_free(s);
	return NULL;
}

/* ---- running ---------------------------------------------------------------- */

static int
exit_status(const struct err *e)
{
	switch (e->code) {
	case EADDRINUSE:
	case EADDRNOTAVAIL:
		return EX_UNAVAILABLE;
	case EINVAL:
		return EX_CONFIG;
	default:
		return exit_status_of_store(e->code);
	}
}

/* Whoever waits for the file finds a whole number in it. */
static int
write_port(const char *path, unsigned port, struct err *e)
{
	char temporary[4096];
	FILE *f;
	bool good;

	if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >=
	    sizeof temporary)
		return err_set(
		    e, ENAMETOOLONG, "--port-file %s: too long", path);
	f = fopen(temporary, "we");
	if (f == NULL)
		return err_set(
		    e, errno, "--port-file %s: %s", temporary, strerror(errno));
	good = fprintf(f, "%u\n", port) > 0;
	good = fclose(f) == 0 && good;
	if (!good || rename(temporary, path) < 0)
		return err_set(
		    e, EIO, "--port-file %s: %s", path, strerror(errno));
	return 0;
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	log_say(LOG_LEVEL_INFO, "server", "%s: stopping", strsignal(w->signum));
	server_stop(w->data);
}

static void
log_mistake(void *ctx, const char *message)
{
	(void)ctx;
	log_say(LOG_LEVEL_ERROR, "reload", "%s", message);
}

/* What a reload needs. */
struct hangup {
	struct server *server;
	const char *config; /* NULL: none */
};

/* A terminal that closes, or a habit from other daemons, must cost nothing. */
static void
on_hangup(struct ev_loop *loop, ev_signal *w, int revents)
{
	const struct hangup *h = w->data;
	struct server_settings *next =
	    server_settings_load(h->config, environment, log_mistake, NULL);

	(void)loop;
	(void)revents;
	server_reload(h->server, next);
}

/* A stock server tells what it is doing; not to be stopped is half of it. */
static void
on_tell(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	server_tell(w->data);
}

static int
serve(struct ev_loop *loop, struct server_settings *settings,
    const struct options *o, struct err *e)
{
	struct server *server = server_start(loop, settings, e);
	struct hangup reload = { server, o->config };
	ev_signal term, interrupt, hangup, asked;

	if (server == NULL)
		return -e->code;
	ev_signal_init(&term, on_signal, SIGTERM);
	ev_signal_init(&interrupt, on_signal, SIGINT);
	ev_signal_init(&hangup, on_hangup, SIGHUP);
	ev_signal_init(&asked, on_tell, SIGTTIN);
	term.data = interrupt.data = asked.data = server;
	hangup.data = &reload;
	ev_signal_start(loop, &term);
	ev_signal_start(loop, &interrupt);
	ev_signal_start(loop, &hangup);
	ev_signal_start(loop, &asked);

	log_say(LOG_LEVEL_INFO, "server",
	    "faktotum-server " FAKTOTUM_VERSION " listens at %s%s, data in %s",
	    server_address(server), settings->tls.given ? " (TLS)" : "",
	    settings->data);
	int r = o->port_file != NULL
	    ? write_port(o->port_file, server_port(server), e)
	    : 0;
	if (r == 0) {
		server_ready(server);
		ev_run(loop, 0);
	}
	server_free(server);
	ev_signal_stop(loop, &term);
	ev_signal_stop(loop, &interrupt);
	ev_signal_stop(loop, &hangup);
	ev_signal_stop(loop, &asked);
	if (r == 0)
		log_say(LOG_LEVEL_INFO, "server", "stopped");
	return r;
}

/* A closed 0, 1 or 2 would be given to the next file that is opened. */
static void
open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* What the settings name, too. Returns the exit status. */
static int
check(const struct server_settings *settings)
{
	struct err e;
	bool unseen = tls_settings_are_elsewhere(&settings->tls);
	bool looks = settings->tls.given && !unseen;
	struct tls *t = looks ? certificates_read(settings, &e) : NULL;
	size_t wrong = catalogue_check(&settings->jobtypes, tell, NULL);

	tls_drop(t);
	if (unseen || secret_is_unseen(settings->password) ||
	    secret_is_unseen(settings->web_password))
		tell(NULL,
		    "warning: CREDENTIALS_DIRECTORY is not there to be read: "
		    "what is in it was not looked at");
	if (looks && t == NULL) {
		fprintf(stderr, "%s\n", e.text);
		wrong++;
	}
	if (wrong > 0)
		return EX_CONFIG;
	puts("the settings are good");
	return EX_OK;
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	struct server_settings *settings;
	struct ev_loop *loop;
	struct err e = { 0 };
	int status;

	open_standard_files();
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && verb_is(argv[1]))
		return verb_run(argc - 1, argv + 1);
	status = read_options(argc, argv, &o);
	if (status >= 0)
		return status;
	settings = load_settings(&o, &status);
	if (settings == NULL)
		return status;
	if (o.check) {
		stock_look(environment, tell, NULL);
		status = check(settings);
		server_settings_free(settings);
		return status;
	}
	log_open(settings->log_format, settings->log_level);
	stock_look(environment, warn, NULL);
	loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (loop == NULL) {
		fputs("faktotum-server: no event loop\n", stderr);
		return EX_OSERR;
	}
	status = EX_OK;
	if (serve(loop, settings, &o, &e) < 0) {
		fprintf(stderr, "faktotum-server: %s\n", e.text);
		status = exit_status(&e);
	}
	ev_loop_destroy(loop);
	server_settings_free(settings);
	return status;
}
