/*
 * ask - what the verbs have in common that give a server orders.
 *
 * Their words are an action, what it is done to, and options; the order is a
 * command of the protocol, and its answer is told as text or as JSON.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/server_options.h"

/* For the help text of each of them. */
#define ASK_OPTIONS_HELP                                                       \
	SERVER_OPTIONS_HELP                                                    \
	"  --json             print the answer as a JSON object\n"             \
	"  -h, --help         print this\n"
#define ASK_STATUS_HELP                                                        \
	"64 wrong usage; 66 a certificate or the credential cannot be read;\n" \
	"69 no server; 75 nobody knows whether it was done; 76 the server "    \
	"does\n"                                                               \
	"not know the order; 77 wrong password\n"

/* Which further options a verb's action takes. */
enum ask_option {
	ASK_ALL = 1,
	ASK_LABEL = 2,
	ASK_TYPE = 4,
	ASK_MATCH = 8,
};

struct ask {
	const char *verb; /* filled by the caller, as the next: "worker" */
	const char *usage;

	/* Filled by ask_read(), borrowed from argv. */
	const char *action; /* the first word */
	char **words;       /* those behind it */
	size_t nwords;
	unsigned given; /* of enum ask_option */
	bool json;
	const char *label, *type, *match; /* NULL: not given */
	struct server_options server;

	struct connection *connection; /* NULL: not yet reached */
};

/* Returns -1 to go on, else the exit status; what is wrong has been told. */
int ask_read(struct ask *a, int argc, char **argv);

/* "faktotum VERB: TEXT" and where help is. Returns EX_USAGE. */
int ask_misuse(const struct ask *a, const char *text);

/* Options that this action does not take: as ask_misuse(), or 0. */
int ask_takes(const struct ask *a, unsigned allowed);

/*
 * Sends VERB and its argument, on a connection that is made at first. Returns
 * 0 with the server's answer, borrowed until the next call; 1 with an error
 * that this order earned, of which *reply has the text behind "ERR "; or an
 * exit status, and then what is wrong has been told.
 */
int ask_send(
    struct ask *a, const char *verb, const struct buf *arg, struct resp *reply);

/* "faktotum VERB: " and an error of the server's. Returns 1. */
int ask_refused(const struct ask *a, const struct resp *reply);

/* That an answer is not what it should be. Returns EX_PROTOCOL. */
int ask_bad_answer(const struct ask *a);

/* Foreign bytes on out, as a terminal may see them. */
void ask_put(FILE *out, const char *bytes, size_t len);

/* Ends the conversation; returns status, or EX_IOERR when what was printed
 * could not be written. */
int ask_end(struct ask *a, int status);

#endif
