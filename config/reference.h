/*
 * reference - every setting with its limits and default, from the rows.
 *
 * docs/configuration.md holds this text; tests/unit/test_reference.c fails
 * when it does not.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_REFERENCE_H
#define CONFIG_REFERENCE_H

#include <stdio.h>

/* Markdown: a table for each file and one for a job. */
void reference_print(FILE *out);

#endif
