/*
 * call_options - the words of the verbs that talk to a running supervisor.
 *
 * Where it is looked for: at --socket, else where the control.socket of -c
 * says, else at the usual places, the first that answers. A place that was
 * named is the only one, and with a FILE only its own are usual: an order must
 * not reach another supervisor.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_CALL_OPTIONS_H
#define CLI_CALL_OPTIONS_H

#include <stddef.h>

#include "config/control_settings.h"

enum { CALL_PLACES_MAX = 3, CALL_FLAGS_MAX = 3 };

/* For the help text of each of them. */
#define CALL_OPTIONS_HELP                                                      \
	"      --socket PATH  the supervisor's control socket\n"               \
	"  -c, --config FILE  take its place from control.socket in FILE\n"    \
	"\n"                                                                   \
	"Without both it is looked for at $RUNTIME_DIRECTORY/faktotum.sock,\n" \
	"/run/faktotum/faktotum.sock and "                                     \
	"/run/faktotum/faktotum/faktotum.sock;"                                \
	"\n"                                                                   \
	"with a NAME.yaml that does not say, at the first and at\n"            \
	"/run/faktotum/NAME/faktotum.sock, where faktotum@NAME.service has "   \
	"it.\n"

#define CALL_STATUS_HELP                                                       \
	"64 wrong usage, 69 no supervisor answers, 77 it does not take\n"      \
	"orders from this user, 78 a mistake in FILE.\n"

struct call_options {
	/* Filled by the caller. */
	const char *verb; /* "status" */
	const char *usage;
	const char *flags[CALL_FLAGS_MAX]; /* long options without a value */
	const char *valued; /* a long option with a value, or NULL */

	/* Filled by call_options_read(). */
	unsigned given;    /* bit i: flags[i] */
	const char *value; /* of `valued`; NULL: not given */
	char **words;      /* what is left; borrowed from argv */
	size_t nwords;
	char places[CALL_PLACES_MAX][CONTROL_SOCKET_MAX + 1];
	size_t nplaces;
};

/* Returns -1 to go on, else the exit status; what is wrong has been told. */
int call_options_read(struct call_options *o, int argc, char **argv);

/* "faktotum VERB: " and the text, on standard error. Returns EX_USAGE. */
int call_options_misuse(const struct call_options *o, const char *text);

#endif
