/*
 * arguments - a handler's templates and a job's data, made into argv.
 *
 * For supervisor/invocation.c. One template gives one argument whatever the
 * data, a spread one for each element. A value that would begin an argument
 * with '-' is refused, since the program would read it as an option: unless a
 * literal "--" stands before it, or the handler says allow_dash.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_ARGUMENTS_H
#define SUPERVISOR_ARGUMENTS_H

#include <stddef.h>

#include "base/err.h"
#include "config/settings.h"

/*
 * Returns argv, NULL-terminated, owned: arguments_free(). *bytes is what it
 * takes of the kernel's limit. NULL with *e set: e->code EINVAL for data that
 * does not fit ("argument 2: ..."), ENOMEM.
 */
char **arguments_make(const struct handler *how,
    const struct template_data *data, size_t *bytes, struct err *e);

/* Accepts NULL. */
void arguments_free(char **argv);

/* What argv and environment may take together, in bytes and pointers. */
size_t arguments_limit(void);

#endif
