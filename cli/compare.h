/*
 * compare - what a server has beside what a configuration serves.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "config/settings.h"
#include "protocol/url.h"

/*
 * Asks the server (with the settings' certificates, and their password where
 * the URL has none) for its queues and, where it tells them, its jobtypes;
 * prints each with its jobs to out, and a warning for each that only one side
 * knows. Returns 0; or a negative errno with *e set when the server cannot be
 * asked, -EACCES when it refuses the password.
 */
int compare_server(
    const struct settings *s, const struct url *u, FILE *out, struct err *e);

/* The same for an answer of INFO. Returns 0, or -EINVAL with *e set. */
int compare_info(const struct settings *s, const char *info, size_t len,
    FILE *out, struct err *e);

/* The same for an answer of JOBTYPES. */
int compare_jobtypes(const struct settings *s, const char *answer, size_t len,
    FILE *out, struct err *e);

#endif
