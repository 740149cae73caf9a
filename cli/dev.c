/*
 * dev - the verb that runs server and supervisor together.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/dev.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/pair.h"

static const char usage[] =
    "usage: faktotum dev -c FILE [OPTION...]\n"
    "\n"
    "Starts a job server on a private data directory, waits until it is\n"
    "ready, runs the supervisor with FILE against it, and stops both on\n"
    "Ctrl-C. The server that FILE names is not used.\n"
    "\n"
    "  -c, --config FILE     the supervisor's configuration\n"
    "      --data DIR        where the jobs are kept (default: faktotum/dev\n"
    "                        below XDG_STATE_HOME or ~/.local/state)\n"
    "      --listen ADDRESS  host:port (default: 127.0.0.1:7419); port 0: any\n"
    "      --server-program PATH\n"
    "                        default: faktotum-server beside this program, in\n"
    "                        ../sbin, or in PATH\n"
    "  -h, --help            print this\n"
    "\n"
    "exit status: 0 stopped by a signal; 64 wrong usage; 73 the data "
    "directory\n"
    "cannot be made; else that of the program that ended by itself\n";

struct request {
	char *config;
	char *data;
	char *listen;
	char *server_program;
};

enum {
	OPT_CONFIG = 'c',
	OPT_DATA = 256,
	OPT_LISTEN,
	OPT_PROGRAM,
	OPT_HELP = 'h'
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "data", required_argument, NULL, OPT_DATA },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "server-program", required_argument, NULL, OPT_PROGRAM },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int
complain(const char *text)
{
	fprintf(stderr, "faktotum dev: %s\n", text);
	fputs("faktotum dev --help tells more\n", stderr);
	return EX_USAGE;
}

/* 0, or -1 with *status set. */
static int
take_line(struct request *q, int argc, char **argv, int *status)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case OPT_CONFIG:
			q->config = optarg;
			break;
		case OPT_DATA:
			q->data = optarg;
			break;
		case OPT_LISTEN:
			q->listen = optarg;
			break;
		case OPT_PROGRAM:
			q->server_program = optarg;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			*status = EX_OK;
			return -1;
		default:
			fputs("faktotum dev --help tells more\n", stderr);
			*status = EX_USAGE;
			return -1;
		}
	}
	*status = EX_OK;
	if (q->config == NULL)
		*status = complain("which configuration? -c FILE");
	else if (optind < argc)
		*status = complain("there are words too many");
	else if (strrchr(q->listen, ':') == NULL)
		*status = complain("--listen is host:port");
	return *status == EX_OK ? 0 : -1;
}

/* Makes a directory and those above it. */
static int
make_path(const char *path, struct err *e)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return err_set(e, ENAMETOOLONG, "%s: too long", path);
	for (char *at = part + 1;; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		char was = *at;
		*at = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return err_set(
			    e, errno, "mkdir %s: %s", part, strerror(errno));
		*at = was;
		if (was == '\0')
			return 0;
	}
}

/* Where the jobs are kept when nobody says. */
static int
default_data(char out[PATH_MAX], struct err *e)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	if (state != NULL && state[0] == '/')
		n = snprintf(out, PATH_MAX, "%s/faktotum/dev", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(
		    out, PATH_MAX, "%s/.local/state/faktotum/dev", home);
	else
		return err_set(e, ENOENT, "HOME is not set; say --data DIR");
	if (n >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "HOME is too long");
	return 0;
}

static int
own_program(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	out[n < 0 ? 0 : n] = '\0';
	return n < 0 ? -errno : 0;
}

/* Beside ourselves, in ../sbin, or by its name alone: then PATH decides. */
static void
find_server(const char *own, char out[PATH_MAX])
{
	static const char *const places[] = { "", "../sbin/" };
	int dir = (int)(strrchr(own, '/') - own) + 1;

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int n = snprintf(out, PATH_MAX, "%.*s%sfaktotum-server", dir,
		    own, places[i]);

		if (n < PATH_MAX && access(out, X_OK) == 0)
			return;
	}
	(void)snprintf(out, PATH_MAX, "faktotum-server");
}

/* The host of host:port, without the port. */
static void
host_of(const char *listen, char out[256])
{
	(void)snprintf(
	    out, 256, "%.*s", (int)(strrchr(listen, ':') - listen), listen);
}

static int
run_both(const struct request *q, char *own)
{
	char server[PATH_MAX], port_file[PATH_MAX + 8], host[256];
	char listen_flag[] = "--listen", data_flag[] = "--data",
	     port_flag[] = "--port-file", web_flag[] = "--web",
	     web_free[] = "127.0.0.1:0";
	char *argv[] = { server, listen_flag, q->listen, data_flag, q->data,
		port_flag, port_file, web_flag, web_free, NULL };
	struct pair_plan plan = {
		.server = argv,
		.port_file = port_file,
		.program = own,
		.config = q->config,
		.host = host,
	};

	if (q->server_program != NULL)
		argv[0] = q->server_program;
	else
		find_server(own, server);
	host_of(q->listen, host);
	(void)snprintf(port_file, sizeof port_file, "%s/port", q->data);

	/* A private server on this host: nobody is asked for a password. */
	(void)unsetenv("FAKTORY_PASSWORD");
	(void)unsetenv("NOTIFY_SOCKET");
	fprintf(stderr, "faktotum dev: jobs are kept in %s\n", q->data);
	return pair_run(&plan);
}

int
dev_main(int argc, char **argv)
{
	static char name[] = "faktotum dev"; /* for getopt's messages */
	static char listen_default[] = "127.0.0.1:7419";
	struct request q = { .listen = listen_default };
	char own[PATH_MAX], data[PATH_MAX];
	struct err e;
	int status;

	argv[0] = name;
	if (take_line(&q, argc, argv, &status) < 0)
		return status;
	if (access(q.config, R_OK) < 0) {
		fprintf(stderr, "faktotum dev: %s: %s\n", q.config,
		    strerror(errno));
		return EX_NOINPUT;
	}
	int r = own_program(own);
	if (r < 0) {
		fprintf(
		    stderr, "faktotum dev: /proc/self/exe: %s\n", strerror(-r));
		return EX_OSERR;
	}
	if (q.data == NULL) {
		r = default_data(data, &e);
		q.data = data;
	}
	if (r < 0 || make_path(q.data, &e) < 0) {
		fprintf(stderr, "faktotum dev: %s\n", e.text);
		return EX_CANTCREAT;
	}
	return run_both(&q, own);
}
