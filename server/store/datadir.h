/*
 * datadir - the directory that one server owns while it runs.
 *
 * It is made with mode 0700 when it is missing (its parents are not), and
 * locked with flock(2) on its file "lock", which holds the owner's process
 * id. The kernel drops the lock with the process, however that ends.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_DATADIR_H
#define SERVER_STORE_DATADIR_H

#include <stdint.h>

#include "base/err.h"

struct datadir;

/*
 * Returns NULL with *e set: -EBUSY, naming the directory and the process,
 * when another one has it; else as errno.
 */
struct datadir *datadir_open(const char *path, struct err *e);

/* Gives the lock back. Accepts NULL. */
void datadir_close(struct datadir *d);

/* PATH/faktotum.db. Borrowed: lives as long as d. */
const char *datadir_file(const struct datadir *d);

/*
 * Puts a new name in a directory on disk: without that a power cut takes what
 * has it along. Returns 0 or a negative errno.
 */
int datadir_sync_parent(const char *path);

/* Bytes of the database and its log; what cannot be asked counts 0. */
int64_t datadir_bytes(const struct datadir *d);

#endif
