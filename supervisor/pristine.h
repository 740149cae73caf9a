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
#include <sys/stat.h>
#include <time.h>

/* How a directory looked when it was pristine. */
struct pristine_mark {
	dev_t device;
	ino_t inode;
	struct timespec changed; /* its ctime; 0: that is worth nothing */
};

/*
 * True when path is a directory, no link, empty, owned by our user and group,
 * with permissions 0700 and no attributes but those that the system's
 * security modules set. When in doubt, false. mark may be NULL.
 */
bool pristine(const char *path, struct pristine_mark *mark);

/*
 * Whether any change from now on will show in the time of the last one. Not
 * so when the clock that changes are marked with has not moved on since the
 * mark, nor on file systems that are not known to keep nanoseconds.
 */
bool pristine_shows(const struct pristine_mark *mark);

/*
 * True when path is what was marked, and nothing has been done to it since
 * pristine_shows() was true: the same answer as a whole look, for one system
 * call.
 */
bool pristine_untouched(const char *path, const struct pristine_mark *mark);

#endif
