/*
 * source - the Redis that is read, and nothing but read.
 *
 * Long lists and sets come in windows: how many elements each asks for follows
 * the size of those before it, so that one holds about a megabyte, or one
 * element when that is larger. What a call hands to a callback lives during
 * the callback. Every answer is waited for at most SOURCE_TIMEOUT seconds.
 *
 * Calls return 0, or a negative errno with *e set; a callback's negative
 * answer ends a call with that answer, and sets *e itself.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_IMPORT_SOURCE_H
#define SERVER_IMPORT_SOURCE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SOURCE_TIMEOUT = 120, SOURCE_HOST_MAX = 255 };

/* Where it is. */
struct source_place {
	char path[PATH_MAX]; /* of its socket; "": it is at host and port */
	char host[SOURCE_HOST_MAX + 1];
	unsigned port;
};

/*
 * What the command line says: a directory with a redis.sock in it, a socket,
 * or HOST:PORT. -ENOENT: it looks like a file, and there is none; -EINVAL: it
 * is none of these.
 */
int source_find(const char *text, struct source_place *at, struct err *e);

struct source;

/*
 * password: NULL: none. Returns NULL with *e set: -EAGAIN while it is still
 * reading its file, else -ECONNREFUSED.
 */
struct source *
source_open(const struct source_place *at, const char *password, struct err *e);

/* Accepts NULL. */
void source_close(struct source *s);

/* How many other connections it has. */
int source_others(struct source *s, int64_t *others, struct err *e);

/* The same in the text that CLIENT LIST answers, where each has a line. */
int64_t source_count_clients(const char *list, size_t len);

enum source_type {
	SOURCE_STRING,
	SOURCE_LIST,
	SOURCE_SET,
	SOURCE_SORTED,
	SOURCE_OTHER
};

/* Each key; perhaps some more than once. Names end in a NUL. */
typedef int
source_key(void *ctx, const char *key, enum source_type type, struct err *e);
int source_keys(struct source *s, source_key *each, void *ctx, struct err *e);

/* Each member of a plain set; perhaps some more than once. */
typedef int
source_member(void *ctx, const char *name, size_t len, struct err *e);
int source_members(struct source *s, const char *key, source_member *each,
    void *ctx, struct err *e);

/* How many elements a list or sorted set has; 0 when there is no such key. */
int source_size(struct source *s, const char *key, enum source_type type,
    int64_t *size, struct err *e);

/*
 * The elements of a list of that size from its end, which is the oldest, to
 * its beginning; those of a sorted set from the lowest score. index: as
 * LINDEX or ZRANGE count. score: as Redis writes it, NULL for a list.
 */
struct source_element {
	int64_t index;
	const char *bytes;
	size_t len;
	const char *score;
	size_t score_len;
};
typedef int
source_element(void *ctx, const struct source_element *element, struct err *e);
int source_elements(struct source *s, const char *key, enum source_type type,
    int64_t size, source_element *each, void *ctx, struct err *e);

/* A counter; 0 when there is none. -EINVAL: it is no number. */
int
source_number(struct source *s, const char *key, int64_t *value, struct err *e);

#endif
