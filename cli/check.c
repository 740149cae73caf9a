/*
 * check - the verb that reads a configuration and tells what is wrong.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/check.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/server_url.h"
#include "config/reference.h"
#include "config/settings.h"
#include "protocol/url.h"

static const char usage_text[] =
    "usage: faktotum check -c FILE\n"
    "\n"
    "Reads a supervisor's configuration as `faktotum run` would, and tells "
    "all\n"
    "mistakes in it. Exit status: 0 no mistakes, 66 the file cannot be read,\n"
    "78 mistakes.\n"
    "\n"
    "  -c, --config FILE  the file to check\n"
    "      --reference    print every setting with its default, as Markdown\n"
    "      --help         print this text\n";

static const char *
environment(const char *name)
{
	return getenv(name);
}

static void
tell_mistake(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "%s\n", message);
}

static void
tell_warning(void *ctx, const char *message)
{
	(void)ctx;
	fprintf(stderr, "warning: %s\n", message);
}

/* The server's address, from the file or from the environment. */
static int
check_server(const struct settings *s)
{
	struct err e = { 0 };
	struct url u;

	if (server_url_of(s, &u, &e) == 0)
		return 0;
	fprintf(stderr, "%s%s%s\n", s->server == NULL ? s->file : "",
	    s->server == NULL ? ": " : "", e.text);
	return EX_CONFIG;
}

static int
check_file(const char *file)
{
	struct err e = { 0 };
	size_t len;
	char *text = document_load(file, &len, &e);

	if (text == NULL) {
		fprintf(stderr, "%s\n", e.text);
		return EX_NOINPUT;
	}
	struct settings *s =
	    settings_read(file, text, len, environment, tell_mistake, NULL);
	free(text);
	if (s == NULL)
		return EX_CONFIG;

	int status = check_server(s);
	settings_warnings(s, tell_warning, NULL);
	if (status == 0)
		printf("%s: ok, %zu handler%s\n", file, s->nhandlers,
		    s->nhandlers == 1 ? "" : "s");
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
	enum { HELP = 256, REFERENCE };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "reference", no_argument, NULL, REFERENCE },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = NULL;
	int option;

	opterr = 0; /* the messages below name the verb */
	optind = 1;
	while ((option = getopt_long(argc, argv, ":c:", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
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
	if (file == NULL)
		return misuse("which file? -c FILE is missing");
	return check_file(file);
}
