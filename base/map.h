/*
 * map - find a thing by its name.
 *
 * A table from byte strings to pointers, open addressing. Names come from the
 * network, so the hash is keyed with a random secret (SipHash-1-3): nobody
 * can choose names that all fall into one place. Costs 24 bytes a slot, at
 * most three quarters full.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;

/* Returns NULL when memory is short. */
struct map *map_new(void);

/* Frees the table, not what it points at. Accepts NULL. */
void map_free(struct map *m);

size_t map_count(const struct map *m);

/* NULL when there is no such name. */
void *map_get(const struct map *m, const char *name, size_t len);

/*
 * name is borrowed as long as the entry stays: it usually lies within value.
 * value must not be NULL. Returns 0, -EEXIST (nothing changed), or -ENOMEM.
 */
int map_put(struct map *m, const char *name, size_t len, void *value);

/* Returns what was removed, or NULL. */
void *map_remove(struct map *m, const char *name, size_t len);

/*
 * Every value once, in no order: start with *cursor = 0, stop at NULL. The
 * map must not change during the walk, except that the value just returned
 * may be changed in place.
 */
void *map_next(const struct map *m, size_t *cursor);

/* Forgets all names and keeps the memory. */
void map_clear(struct map *m);

#endif
