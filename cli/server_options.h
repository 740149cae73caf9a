/*
 * server_options - which server a verb speaks to, and how it is reached.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_SERVER_OPTIONS_H
#define CLI_SERVER_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "cli/connection.h"

/* For the help text of each of them. */
#define SERVER_OPTIONS_HELP                                                    \
	"  --server URL       tcp://[:password@]host[:port] or "               \
	"tcp+tls://...;\n"                                                     \
	"                     default: what FAKTORY_PROVIDER names, or\n"      \
	"                     FAKTORY_URL, or tcp://localhost:7419\n"          \
	"  --ca FILE          tcp+tls: who may sign the server's "             \
	"certificate\n"                                                        \
	"                     (default: whom this system believes)\n"          \
	"  --cert FILE        tcp+tls: our certificate, if the server wants "  \
	"one\n"                                                                \
	"  --key FILE         its key\n"                                       \
	"  --server-name NAME tcp+tls: whose certificate it must be "          \
	"(default:\n"                                                          \
	"                     the host of the URL)\n"                          \
	"  --no-verify        tcp+tls: believe whoever answers\n"

/* Where the password comes from, for the end of a help text. */
#define SERVER_PASSWORD_HELP                                                   \
	"A URL without a password takes it from the file faktory-password "    \
	"in\n"                                                                 \
	"$CREDENTIALS_DIRECTORY, where a service manager has put one.\n"

/* Their numbers, and their rows in a verb's table for getopt_long(3). */
enum {
	SERVER_OPTION_URL = 512,
	SERVER_OPTION_CA,
	SERVER_OPTION_CERT,
	SERVER_OPTION_KEY,
	SERVER_OPTION_NAME,
	SERVER_OPTION_NO_VERIFY,
};
#define SERVER_OPTION_ROWS                                                     \
	{ "server", required_argument, NULL, SERVER_OPTION_URL },              \
	    { "ca", required_argument, NULL, SERVER_OPTION_CA },               \
	    { "cert", required_argument, NULL, SERVER_OPTION_CERT },           \
	    { "key", required_argument, NULL, SERVER_OPTION_KEY },             \
	    { "server-name", required_argument, NULL, SERVER_OPTION_NAME },    \
	{                                                                      \
		"no-verify", no_argument, NULL, SERVER_OPTION_NO_VERIFY        \
	}

struct server_options {
	const char *verb; /* "push", for messages */
	char *server;     /* borrowed from argv, as the next */
	struct tls_plan tls;
};

/* Whether this option is one of them; it is taken then. */
bool server_options_take(struct server_options *o, int option, char *value);

/* What is wrong with them together; NULL: nothing. */
const char *server_options_mistake(const struct server_options *o);

/*
 * Connects. A URL with a password is overwritten where it stands. Returns
 * NULL with *status set, and the reason told on standard error: EX_USAGE,
 * EX_NOINPUT for a certificate or a credential, EX_UNAVAILABLE, EX_NOPERM.
 */
struct connection *
server_options_reach(const struct server_options *o, int *status);

#endif
