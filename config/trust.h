/*
 * trust - who could put another program in the place of this one.
 *
 * The way to a file is walked component by component, each symbolic link
 * followed by hand: every directory, every link and the file itself must
 * belong to root, to this process's user, or to one that the caller names, and
 * nobody else may write to it. A directory that all may write to is good
 * enough when it is sticky (/tmp), since nobody can move what belongs to
 * others there. It is OpenSSH's StrictModes, but for that.
 *
 * It says what holds at this moment; who may write there can change it.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include <sys/types.h>

#include "base/err.h"

enum { TRUST_LINKS_MAX = 40 };

/*
 * file is absolute. also: a user whose files are as good; our own: none more.
 * Returns 0, or a negative errno with *e set, which names the component.
 */
int trust_check(const char *file, uid_t also, struct err *e);

#endif
