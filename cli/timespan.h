/*
 * timespan - a length of time as systemd writes it: "1min 30s".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_TIMESPAN_H
#define CLI_TIMESPAN_H

#include <stdint.h>

/* What "infinity" is read as. */
#define TIMESPAN_INFINITY INT64_MAX

/*
 * Reads the whole text, as systemd.time(7) describes it: numbers with units,
 * added up; a number alone is seconds. White space around all of it is
 * allowed. Returns 0; -EINVAL for other text, -ERANGE for more than 290 years.
 */
int timespan_read(const char *text, int64_t *ns);

#endif
