/*
 * unit - how long systemd waits for a unit to stop.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CLI_UNIT_H
#define CLI_UNIT_H

#include <stdint.h>

#include "base/err.h"

/*
 * unit is the path of a unit file when it has a slash, read without its
 * drop-ins; else the name of a unit, and systemctl(1) is asked, which counts
 * drop-ins and the manager's defaults. TIMESPAN_INFINITY: for ever. Returns 0,
 * or a negative errno with *e set: -ENOENT no such unit or file, -EINVAL it
 * says something else, anything else the system.
 */
int unit_stop_timeout(const char *unit, int64_t *ns, struct err *e);

/* The same for the text of a unit file. */
int unit_read_stop_timeout(const char *text, int64_t *ns, struct err *e);

#endif
