/*
 * output_name - what the file with a dispatch's output is called.
 *
 *	resize.8f2c1d77a0b34e52.3b0c...-17.log
 *
 * A jid is anybody's text: what is not a letter, a digit, '-' or '_' becomes
 * "%2F", and what is long is cut. The dispatch's id makes the name its own.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_OUTPUT_NAME_H
#define SUPERVISOR_OUTPUT_NAME_H

#include <stdbool.h>

enum { OUTPUT_NAME_BYTES = 256 };

void output_name(char out[OUTPUT_NAME_BYTES], const char *jobtype,
    const char *jid, const char *dispatch);

/* What all files of a jobtype begin with: "resize." */
void output_name_prefix(char out[OUTPUT_NAME_BYTES], const char *jobtype);

/* Whether a file of this name is one of those. */
bool output_name_is(const char *name, const char *prefix);

#endif
