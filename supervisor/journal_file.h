/*
 * journal_file - the outcome journal's file and its directory.
 *
 * Bytes that were synced stay, whole; what they mean is supervisor/journal's.
 * One supervisor at a time: the directory is locked while it is open.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_JOURNAL_FILE_H
#define SUPERVISOR_JOURNAL_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct journal_file {
	char *path;  /* of the directory; owned */
	int dir;     /* locked */
	int fd;      /* -1: the next write must be journal_file_replace() */
	size_t size; /* of the file */
};

/*
 * Returns 0; a negative errno with *e set, -EBUSY when another supervisor is
 * at work there. journal_file_close() in either case.
 */
int journal_file_open(struct journal_file *f, const char *path, struct err *e);
void journal_file_close(struct journal_file *f);

/*
 * All of it, owned: free(); NULL when there is no file. -EFBIG above max.
 * Returns 0 or a negative errno with *e set.
 */
int journal_file_load(struct journal_file *f, size_t max, char **text,
    size_t *len, struct err *e);

/*
 * Write and sync. append: behind what is there; after a failure f->fd is -1.
 * replace: a new file that takes the old one's place when it is whole.
 * Return 0 or a negative errno.
 */
int journal_file_append(struct journal_file *f, const struct buf *more);
int journal_file_replace(struct journal_file *f, const struct buf *all);

#endif
