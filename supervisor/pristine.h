/*
 * pristine - whether a directory is as mkdir(2) made it.
 *
 * For supervisor/scratch.c: what one job had is only given to another when
 * nothing can be told from it and nothing lies in wait.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_PRISTINE_H
#define SUPERVISOR_PRISTINE_H

#include <stdbool.h>

/*
 * True when path is a directory, no link, empty, owned by our user and group,
 * with permissions 0700 and no attributes but those that the system's
 * security modules set. When in doubt, false.
 */
bool pristine(const char *path);

#endif
