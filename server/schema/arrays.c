/*
 * arrays - keywords about lists and what is in them.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "server/schema/inside.h"

bool
min_items_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	size_t count = json_count(x);

	(void)n;
	return count >= k->count ||
	    look_fault(l, &k->value,
		"%zu elements stand here, expected at least %" PRIu64, count,
		k->count);
}

bool
max_items_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	size_t count = json_count(x);

	(void)n;
	return count <= k->count ||
	    look_fault(l, &k->value,
		"%zu elements stand here, expected at most %" PRIu64, count,
		k->count);
}

bool
prefix_items_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	struct json_walk w = json_walk(x);
	struct json one;

	(void)n;
	for (size_t i = 0; i < k->nparts && json_next_element(&w, &one); i++)
		if (!look_below(l, k->parts[i].node, &one, NULL, i))
			return false;
	return true;
}

/* Those behind prefixItems. */
bool
items_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	const struct keyword *prefix = node_keyword(n, KEYWORD_PREFIX_ITEMS);
	size_t first = prefix != NULL ? prefix->nparts : 0, i = 0;
	struct json_walk w = json_walk(x);
	struct json one;

	for (; json_next_element(&w, &one); i++)
		if (i >= first &&
		    !look_below(l, k->parts[0].node, &one, NULL, i))
			return false;
	return true;
}

bool
contains_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	const struct keyword *least = node_keyword(n, KEYWORD_MIN_CONTAINS);
	const struct keyword *most = node_keyword(n, KEYWORD_MAX_CONTAINS);
	uint64_t wanted = least != NULL ? least->count : 1, found = 0;
	struct json_walk w = json_walk(x);
	struct json one;

	while (json_next_element(&w, &one) && l->stopped == 0)
		found += look_quietly(l, k->parts[0].node, &one);
	if (l->stopped != 0)
		return false;
	if (found < wanted)
		return look_fault(l, least != NULL ? &least->value : &k->value,
		    "%" PRIu64 " elements fit contains, expected at least "
		    "%" PRIu64,
		    found, wanted);
	if (most != NULL && found > most->count)
		return look_fault(l, &most->value,
		    "%" PRIu64 " elements fit contains, expected at most "
		    "%" PRIu64,
		    found, most->count);
	return true;
}

/* ---- uniqueItems ---------------------------------------------------------- */

struct hashed {
	uint64_t hash;
	size_t index;
	struct json value;
};

static int
by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Only those of one hash can be equal. */
static bool
tell_equal(
    struct look *l, const struct keyword *k, const struct hashed *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n && all[j].hash == all[i].hash; j++)
			if (look_same(l, &all[i].value, &all[j].value))
				return look_fault(l, &k->value,
				    "elements %zu and %zu are equal",
				    all[i].index, all[j].index);
			else if (l->stopped != 0)
				return false;
	return true;
}

bool
unique_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	size_t count = json_count(x), i = 0;
	struct json_walk w = json_walk(x);
	struct hashed *all;

	(void)n;
	if (k->value.kind == JSON_FALSE || count < 2)
		return true;
	if (!look_spend(l, count))
		return false;
	all = calloc(count, sizeof *all);
	if (all == NULL)
		return look_stop(l, -ENOMEM);
	for (; i < count && json_next_element(&w, &all[i].value); i++) {
		all[i].index = i;
		all[i].hash = look_hash(l, &all[i].value);
	}
	qsort(all, i, sizeof *all, by_hash);
	bool unique = l->stopped == 0 && tell_equal(l, k, all, i);
	free(all);
	return unique;
}
