/*
 * credentials - the directory of a service's credentials, where it can be seen
 * and where not.
 *
 * A service manager names it in $CREDENTIALS_DIRECTORY, to the service alone:
 * systemd 252 keeps it from ExecReload=, by which a file is checked before it
 * is taken. A check there takes the files in it on trust.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_CREDENTIALS_H
#define CONFIG_CREDENTIALS_H

#include <stdbool.h>

#define CREDENTIALS_VARIABLE "CREDENTIALS_DIRECTORY"

/*
 * The environment, for a check. Where the directory is not named or closed to
 * us, the variable is the path of one in which nothing can be.
 */
const char *credentials_lookup(const char *name);

/* Whether a path is that one or in it. NULL is not. */
bool credentials_are_elsewhere(const char *path);

#endif
