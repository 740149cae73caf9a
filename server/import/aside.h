/*
 * aside - what is no job, told to a person and kept for one.
 *
 * The file has one JSON object a line:
 *	{"key":"q:mail","index":3,"reason":"…","bytes":"…"}
 * with "score" (as Redis writes it) in a sorted set. Bytes that are not UTF-8
 * are in "hex" instead of "bytes".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_IMPORT_ASIDE_H
#define SERVER_IMPORT_ASIDE_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "server/import/source.h"

enum { ASIDE_SHOWN = 100 };

struct aside;

/*
 * file: NULL to tell only, on err, of which ASIDE_SHOWN at most; else a new
 * file of mode 0600, made with the first one. Returns NULL with *e set.
 */
struct aside *aside_new(const char *file, FILE *err, struct err *e);

/* Returns 0 or a negative errno with *e set. */
int aside_put(struct aside *a, const char *key,
    const struct source_element *element, const char *reason, struct err *e);

int64_t aside_count(const struct aside *a);

/* The file is whole and on disk. The same. */
int aside_sync(struct aside *a, struct err *e);

/*
 * For a handler of signals, before it ends the program: removes the file that
 * is being written. From aside_sync() on it does nothing.
 */
void aside_abandon(void);

/* keep: else what was written of the file is removed. Accepts NULL. */
void aside_free(struct aside *a, bool keep);

/* Writes text that somebody else chose: control characters become '?'. */
void aside_say(FILE *to, const char *text);

#endif
