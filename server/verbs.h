/*
 * verbs - what faktotum-server does besides serving: backup, check.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_VERBS_H
#define SERVER_VERBS_H

#include <stdbool.h>

/* Whether a word names one. */
bool verb_is(const char *word);

/* argv[0] is the verb. Returns the exit status. */
int verb_run(int argc, char **argv);

#endif
