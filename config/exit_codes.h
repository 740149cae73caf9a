/*
 * exit_codes - what each exit status of a program means for its job.
 *
 * In the file it is the name of a profile, for programs that were written for
 * another system, or a mapping of codes and ranges to what they mean:
 *
 *	exit_codes: {0: ok, 3: dead, 10-19: dead, 75: {retry_in: 60s}, "*": retry}
 *
 * A code that a mapping does not name means what it means to the profile
 * `default`, unless "*" says otherwise.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_EXIT_CODES_H
#define CONFIG_EXIT_CODES_H

#include <stdint.h>

#include "config/reader.h"

enum exit_action {
	EXIT_OK,
	EXIT_RETRY,   /* when the server decides */
	EXIT_LATER,   /* after a delay that we ask for */
	EXIT_DEAD,    /* never again; kept among the dead */
	EXIT_DISCARD, /* never again; forgotten */
};

enum { EXIT_CODES = 256 };

struct exit_code {
	enum exit_action action;
	int64_t retry_in; /* ns, with EXIT_LATER; -1: the handler's own */
};

struct exit_codes {
	struct exit_code of[EXIT_CODES]; /* by exit status */
};

/* A FIELD_OTHER decoder into a struct exit_codes. */
void exit_codes_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

/* "ok", "retry", "later", "dead", "discard": as the file has them. */
const char *exit_action_name(enum exit_action action);

#endif
