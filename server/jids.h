/*
 * jids - every job by its jid, several of one jid included.
 *
 * The links lie in the entries. The table grows by one chain at a time, so
 * that no single push pays for a million jobs, and adding cannot fail: when
 * memory is short, chains only become longer.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_JIDS_H
#define SERVER_JIDS_H

#include <stddef.h>

#include "server/entry.h"

struct jids;

/* Returns NULL when memory is short, or there is no randomness. */
struct jids *jids_new(void);

/* Frees the table, not the entries. Accepts NULL. */
void jids_free(struct jids *js);

/* e must not be listed yet. */
void jids_add(struct jids *js, struct entry *e);

/*
 * Many at once, at the start: e is listed, and found, from jids_loaded() on,
 * which makes the table in its size. Measured with a million: a quarter of the
 * time of as many jids_add(), each of which moves another entry.
 */
void jids_load(struct jids *js, struct entry *e);
void jids_loaded(struct jids *js);

/* Does nothing for one that is not listed. */
void jids_remove(struct jids *js, struct entry *e);

/* One of this jid, and from each the next; NULL after the last. */
struct entry *jids_find(const struct jids *js, const char *jid, size_t len);
struct entry *jids_next(const struct entry *e);

#endif
