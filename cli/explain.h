/*
 * explain - an invocation as text for a person, instead of a program run.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdio.h>

#include "config/settings.h"
#include "supervisor/invocation.h"
#include "supervisor/timeline.h"

/* Arguments and values stand in JSON's quotes and escapes. */
void
explain(FILE *out, const struct settings *settings, const struct handler *how,
    const struct invocation *v, int64_t timeout, int64_t grace);

#endif
