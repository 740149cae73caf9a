/*
 * call_options - the words of the verbs that talk to a running supervisor.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/call_options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "cli/load.h"
#include "config/sources.h"

enum { OPTION_SOCKET = 256, OPTION_VALUED, OPTION_FLAG };

static const char *
environment(const char *name)
{
	return getenv(name);
}

int
call_options_misuse(const struct call_options *o, const char *text)
{
	fprintf(stderr, "faktotum %s: %s; see --help\n", o->verb, text);
	return EX_USAGE;
}

static int
add_place(struct call_options *o, const char *path)
{
	char text[160];

	if (strlen(path) > CONTROL_SOCKET_MAX) {
		snprintf(text, sizeof text,
		    "the socket's path is longer than %d bytes",
		    CONTROL_SOCKET_MAX);
		return call_options_misuse(o, text);
	}
	snprintf(o->places[o->nplaces++], CONTROL_SOCKET_MAX + 1, "%s", path);
	return -1;
}

/* The last place, unless it is one of the others. */
static void
keep_place(struct call_options *o)
{
	for (size_t i = 0; i < o->nplaces; i++)
		if (strcmp(o->places[i], o->places[o->nplaces]) == 0)
			return;
	o->nplaces++;
}

static void
add_runtime_place(struct call_options *o)
{
	if (control_settings_runtime(environment, o->places[o->nplaces]))
		keep_place(o);
}

/* Where the unit of this name has its socket, if a socket can be there. */
static void
add_unit_place(struct call_options *o, const char *name)
{
	int n = snprintf(o->places[o->nplaces], CONTROL_SOCKET_MAX + 1,
	    CONTROL_SOCKET_UNIT, name);

	if (n <= CONTROL_SOCKET_MAX)
		keep_place(o);
}

static int
add_usual_places(struct call_options *o)
{
	add_runtime_place(o);
	snprintf(o->places[o->nplaces], CONTROL_SOCKET_MAX + 1, "%s",
	    CONTROL_SOCKET_DEFAULT);
	keep_place(o);
	add_unit_place(o, "faktotum");
	return -1;
}

/* faktotum@NAME.service reads NAME.yaml. */
static int
add_places_of(struct call_options *o, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash != NULL ? slash + 1 : file;
	const char *dot = strrchr(base, '.');
	char name[CONTROL_SOCKET_MAX];

	snprintf(name, sizeof name, "%.*s",
	    (int)(dot != NULL ? (size_t)(dot - base) : strlen(base)), base);
	add_runtime_place(o);
	if (name[0] != '\0')
		add_unit_place(o, name);
	if (o->nplaces > 0)
		return -1;
	fprintf(stderr,
	    "faktotum %s: %s has no control.socket; say --socket PATH\n",
	    o->verb, file);
	return EX_UNAVAILABLE;
}

/* What FILE says of the place; the rest of it is not looked at. */
static int
add_configured(struct call_options *o, const char *file)
{
	struct sources src;
	struct err e = { 0 };
	char *path;
	int status;

	if (sources_load(&src, file, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return EX_NOINPUT;
	}
	if (!control_settings_find(
		&src, environment, load_tell_mistake, NULL, &path)) {
		status = EX_CONFIG;
	} else if (path == NULL) {
		status = add_places_of(o, file);
	} else if (strcmp(path, CONTROL_OFF) == 0) {
		fprintf(stderr,
		    "faktotum %s: control.socket is off in %s: its supervisor "
		    "takes no orders\n",
		    o->verb, file);
		status = EX_UNAVAILABLE;
	} else {
		status = add_place(o, path);
	}
	free(path);
	sources_clear(&src);
	return status;
}

/* The table for getopt_long(3). */
static void
fill_table(const struct call_options *o, struct option *table)
{
	*table++ =
	    (struct option){ "socket", required_argument, NULL, OPTION_SOCKET };
	*table++ = (struct option){ "config", required_argument, NULL, 'c' };
	*table++ = (struct option){ "help", no_argument, NULL, 'h' };
	if (o->valued != NULL)
		*table++ = (struct option){ o->valued, required_argument, NULL,
			OPTION_VALUED };
	for (int i = 0; i < CALL_FLAGS_MAX && o->flags[i] != NULL; i++)
		*table++ = (struct option){ o->flags[i], no_argument, NULL,
			OPTION_FLAG + i };
	*table = (struct option){ 0 };
}

int
call_options_read(struct call_options *o, int argc, char **argv)
{
	struct option table[5 + CALL_FLAGS_MAX];
	const char *socket = NULL, *file = NULL;
	int c;

	fill_table(o, table);
	opterr = 0; /* the messages below name the verb */
	optind = 0;
	while ((c = getopt_long(argc, argv, ":c:h", table, NULL)) != -1) {
		if (c == 'h') {
			fputs(o->usage, stdout);
			return EX_OK;
		}
		if (c == 'c') {
			file = optarg;
		} else if (c == OPTION_SOCKET) {
			socket = optarg;
		} else if (c == OPTION_VALUED) {
			o->value = optarg;
		} else if (c >= OPTION_FLAG) {
			o->given |= 1U << (c - OPTION_FLAG);
		} else {
			return call_options_misuse(o,
			    c == ':' ? "an option needs a value"
				     : "an option is unknown");
		}
	}
	o->words = argv + optind;
	o->nwords = (size_t)(argc - optind);
	if (socket != NULL)
		return add_place(o, socket);
	return file != NULL ? add_configured(o, file) : add_usual_places(o);
}
