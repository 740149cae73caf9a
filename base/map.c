/*
 * map - find a thing by its name.
 *
 * Linear probing; a removal moves the following entries back instead of
 * leaving a mark, so a table that lives for months stays as quick as a new one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

enum { FIRST_SLOTS = 16 };

struct slot {
	const char *name; /* borrowed */
	uint32_t len;
	uint32_t hash;
	void *value; /* NULL: the slot is free */
};

struct map {
	struct slot *slots;
	size_t nslots; /* 0, or a power of two */
	size_t count;
	struct siphash_key key;
};

struct map *
map_new(void)
{
	struct map *m = calloc(1, sizeof *m);
	if (m == NULL)
		return NULL;

	if (siphash_key_make(&m->key) < 0) {
		free(m);
		return NULL;
	}
	return m;
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	free(m->slots);
	free(m);
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

static uint32_t
hash_of(const struct map *m, const char *name, size_t len)
{
	return siphash(&m->key, name, len);
}

/* The slot that holds the name, or the free one where it would go. */
static struct slot *
find(const struct map *m, const char *name, size_t len, uint32_t hash)
{
	size_t mask = m->nslots - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct slot *s = &m->slots[i];

		if (s->value == NULL)
			return s;
		if (s->hash == hash && s->len == len &&
		    memcmp(s->name, name, len) == 0)
			return s;
	}
}

void *
map_get(const struct map *m, const char *name, size_t len)
{
	if (m->count == 0)
		return NULL;
	return find(m, name, len, hash_of(m, name, len))->value;
}

static int
grow(struct map *m)
{
	size_t nslots = m->nslots > 0 ? m->nslots * 2 : FIRST_SLOTS;
	struct slot *slots = calloc(nslots, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;

	for (size_t i = 0; i < m->nslots; i++) {
		if (m->slots[i].value == NULL)
			continue;
		size_t at = m->slots[i].hash & (nslots - 1);
		while (slots[at].value != NULL)
			at = (at + 1) & (nslots - 1);
		slots[at] = m->slots[i];
	}
	free(m->slots);
	m->slots = slots;
	m->nslots = nslots;
	return 0;
}

int
map_put(struct map *m, const char *name, size_t len, void *value)
{
	assert(value != NULL);
	if (len > UINT32_MAX)
		return -ENOMEM;

	uint32_t hash = hash_of(m, name, len);
	if (m->nslots > 0 && find(m, name, len, hash)->value != NULL)
		return -EEXIST;
	if (m->count >= m->nslots / 4 * 3) {
		int r = grow(m);
		if (r < 0)
			return r;
	}

	struct slot *s = find(m, name, len, hash);
	s->name = name;
	s->len = (uint32_t)len;
	s->hash = hash;
	s->value = value;
	m->count++;
	return 0;
}

/* Whether slot i may fill the gap: its home is not between the two. */
static bool
may_move(size_t home, size_t gap, size_t i, size_t mask)
{
	return ((i - home) & mask) >= ((i - gap) & mask);
}

void *
map_remove(struct map *m, const char *name, size_t len)
{
	if (m->count == 0)
		return NULL;
	struct slot *s = find(m, name, len, hash_of(m, name, len));
	void *value = s->value;
	if (value == NULL)
		return NULL;

	size_t mask = m->nslots - 1;
	size_t gap = (size_t)(s - m->slots);
	for (size_t i = (gap + 1) & mask; m->slots[i].value != NULL;
	     i = (i + 1) & mask) {
		if (may_move(m->slots[i].hash & mask, gap, i, mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	}
	m->slots[gap].value = NULL;
	m->count--;
	return value;
}

void *
map_next(const struct map *m, size_t *cursor)
{
	while (*cursor < m->nslots) {
		void *value = m->slots[(*cursor)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}

void
map_clear(struct map *m)
{
	if (m->slots != NULL)
		memset(m->slots, 0, m->nslots * sizeof *m->slots);
	m->count = 0;
}
