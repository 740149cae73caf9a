/*
 * arena - copies that live until all of them are dropped at once.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_STORE_ARENA_H
#define SERVER_STORE_ARENA_H

#include <stddef.h>

struct arena;

/* Returns NULL when memory is short. */
struct arena *arena_new(void);

/* Accepts NULL. */
void arena_free(struct arena *a);

/*
 * Copies len bytes and adds a NUL. Returns NULL when memory is short.
 * Borrowed: valid until arena_clear().
 */
char *arena_copy(struct arena *a, const void *bytes, size_t len);

/* Bytes copied since the last arena_clear(). */
size_t arena_used(const struct arena *a);

/* Drops every copy; keeps one ordinary block of memory for the next ones. */
void arena_clear(struct arena *a);

#endif
