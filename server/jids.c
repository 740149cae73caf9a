/*
 * jids - a table of chains that grows chain by chain (linear hashing).
 *
 * With 2^k + s chains, those below s have been split already: they and the
 * ones made from them are told apart by one more bit of the hash.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/jids.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

enum { FIRST_CHAINS = 64 };

struct jids {
	struct entry **chains;
	size_t nchains;
	size_t cap;
	size_t mask; /* 2^k - 1 */
	size_t count;
	/* In no chain yet, linked as in one, the first first. */
	struct entry *loaded, **loaded_end;
	size_t nloaded;
	struct siphash_key key;
};

struct jids *
jids_new(void)
{
	struct jids *js = calloc(1, sizeof *js);

	if (js == NULL)
		return NULL;
	js->chains = calloc(FIRST_CHAINS, sizeof(struct entry *));
	if (js->chains == NULL || siphash_key_make(&js->key) < 0) {
		jids_free(js);
		return NULL;
	}
	js->nchains = js->cap = FIRST_CHAINS;
	js->mask = FIRST_CHAINS - 1;
	js->loaded_end = &js->loaded;
	return js;
}

void
jids_free(struct jids *js)
{
	if (js == NULL)
		return;
	free(js->chains);
	free(js);
}

static struct entry **
chain_of(const struct jids *js, uint32_t hash)
{
	size_t at = hash & (js->mask * 2 + 1);

	return &js->chains[at < js->nchains ? at : hash & js->mask];
}

/* Makes one chain out of another; moves about one entry. */
static void
split(struct jids *js)
{
	if (js->nchains == js->cap) {
		struct entry **more =
		    realloc(js->chains, 2 * js->cap * sizeof(struct entry *));

		if (more == NULL)
			return;
		js->chains = more;
		js->cap *= 2;
	}
	size_t old = js->nchains & js->mask;
	struct entry *e = js->chains[old];

	js->chains[old] = NULL;
	js->chains[js->nchains++] = NULL;
	while (e != NULL) {
		struct entry *next = e->same_hash;
		struct entry **chain = chain_of(js, e->hash);

		e->same_hash = *chain;
		*chain = e;
		e = next;
	}
	if (js->nchains == 2 * (js->mask + 1))
		js->mask = js->mask * 2 + 1;
}

static void
list(struct jids *js, struct entry *e)
{
	struct entry **chain = chain_of(js, e->hash);

	e->same_hash = *chain;
	*chain = e;
	e->listed = true;
	js->count++;
}

void
jids_add(struct jids *js, struct entry *e)
{
	e->hash = siphash(&js->key, e->jid, strlen(e->jid));
	list(js, e);
	if (js->count > js->nchains)
		split(js);
}

void
jids_load(struct jids *js, struct entry *e)
{
	e->hash = siphash(&js->key, e->jid, strlen(e->jid));
	e->same_hash = NULL;
	*js->loaded_end = e;
	js->loaded_end = &e->same_hash;
	js->nloaded++;
}

/* While there are no entries in it. Without memory its chains are longer. */
static void
make_room(struct jids *js, size_t count)
{
	size_t cap = js->cap;

	while (cap < count)
		cap *= 2;
	struct entry **more = calloc(cap, sizeof(struct entry *));
	if (more == NULL)
		return;
	free(js->chains);
	js->chains = more;
	js->nchains = js->cap = cap;
	js->mask = cap - 1;
}

void
jids_loaded(struct jids *js)
{
	struct entry *next;

	if (js->count == 0)
		make_room(js, js->nloaded);
	for (struct entry *e = js->loaded; e != NULL; e = next) {
		next = e->same_hash;
		list(js, e);
	}
	js->loaded = NULL;
	js->loaded_end = &js->loaded;
	js->nloaded = 0;
}

void
jids_remove(struct jids *js, struct entry *e)
{
	if (!e->listed)
		return;
	struct entry **at = chain_of(js, e->hash);

	while (*at != e)
		at = &(*at)->same_hash;
	*at = e->same_hash;
	e->listed = false;
	js->count--;
}

static struct entry *
first_of(struct entry *e, uint32_t hash, const char *jid, size_t len)
{
	for (; e != NULL; e = e->same_hash)
		if (e->hash == hash && strlen(e->jid) == len &&
		    memcmp(e->jid, jid, len) == 0)
			break;
	return e;
}

struct entry *
jids_find(const struct jids *js, const char *jid, size_t len)
{
	uint32_t hash = siphash(&js->key, jid, len);

	return first_of(*chain_of(js, hash), hash, jid, len);
}

struct entry *
jids_next(const struct entry *e)
{
	return first_of(e->same_hash, e->hash, e->jid, strlen(e->jid));
}
