/*
 * writer - batches into transactions, on the one connection that writes.
 *
 * It knows no threads: whoever calls it is the only one who does.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_WRITER_H
#define SERVER_STORE_WRITER_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"
#include "server/store/arena.h"
#include "server/store/store.h"

struct writer;

/* db is taken, even on failure. Returns NULL with *e set. */
struct writer *writer_new(sqlite3 *db, struct err *e);

/* Checkpoints the log and closes the connection. Accepts NULL. */
void writer_free(struct writer *w);

/*
 * Writes changes from `first` on in one synced transaction, as many as fit
 * into one; *rest becomes the first that did not, or NULL. What is read is
 * copied into a. Returns 0 when it is on disk, and each change's own `result`
 * is set. Otherwise a negative errno with *e set: nothing is written, not of
 * any change in the whole list, and *rest is NULL.
 */
int writer_write(struct writer *w, struct store_change *first,
    struct store_change **rest, struct arena *a, struct err *e);

/*
 * Moves the log into the database when the log has grown long, or has many
 * different pages in it, or when a commit has failed and may still be found in
 * it. To be called after the batch has been answered: of what is in that nobody
 * needs to wait for it, but the next one does.
 */
void writer_checkpoint(struct writer *w);

/*
 * Makes the log's file as long as it becomes under load, if the file system has
 * plenty of room: then no commit has to. Before there is work; ends after a
 * quarter of a second, and the rest is left to idle time. That it fails is
 * nobody's error: then the file becomes longer with what is written.
 */
void writer_lengthen(struct writer *w);

/* Whether writer_idle() would do anything. */
bool writer_wants_idle(const struct writer *w);

/* Bytes of the database that hold something, some commits ago. */
int64_t writer_used_bytes(const struct writer *w);

/* Whether the file system has less room than is kept back from jobs: space.h.
 * For any thread. */
bool writer_is_short(const struct writer *w);
void writer_spare(const struct writer *w, struct store_spare *out);

/* Whether the next writer_idle() is a short step of many: space.h, or of
 * writer_lengthen(). */
bool writer_wants_step(const struct writer *w);

/*
 * Moves the log into the database; for when there is no work. The file stays
 * unless it is huge: syncing what is written over old space takes half as
 * long as syncing what makes the file longer; when it has become shorter it is
 * made longer again, a step at a time. Or gives some space back.
 */
void writer_idle(struct writer *w);

#endif
