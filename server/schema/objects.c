/*
 * objects - keywords about objects and their members.
 *
 * A name that stands twice is two members, and each must fit.
 *
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>

#include "server/schema/inside.h"

enum { NAMES_PER_STEP = 8 };

bool
min_properties_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	size_t count = json_count(x);

	(void)n;
	return count >= k->count ||
	    look_fault(l, &k->value,
		"%zu members stand here, expected at least %" PRIu64, count,
		k->count);
}

bool
max_properties_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	size_t count = json_count(x);

	(void)n;
	return count <= k->count ||
	    look_fault(l, &k->value,
		"%zu members stand here, expected at most %" PRIu64, count,
		k->count);
}

static bool
has(struct look *l, const struct json *object, const char *name, size_t len)
{
	struct json_walk w = json_walk(object);
	struct json key, value;
	size_t seen = 0;

	while (json_next_member(&w, &key, &value)) {
		seen++;
		if (json_string_is(&key, name, len))
			return look_spend(l, seen / NAMES_PER_STEP);
	}
	(void)look_spend(l, seen / NAMES_PER_STEP);
	return false;
}

bool
required_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	char shown[64];

	(void)n;
	for (size_t i = 0; i < k->nparts; i++) {
		const struct part *p = &k->parts[i];

		if (!has(l, x, p->name, p->len))
			return look_fault(l, &k->value, "%s is missing",
			    look_show(&p->key, shown));
	}
	return true;
}

static bool
all_there(struct look *l, const struct part *p, const struct json *x)
{
	struct json_walk w = json_walk(&p->value);
	char shown[64], because[64];
	struct json name;

	while (json_next_element(&w, &name)) {
		struct json_walk members = json_walk(x);
		struct json key, value;
		const char *bytes;
		size_t len;
		bool there = false;

		if (!look_text(l, &name, &bytes, &len))
			return false;
		while (!there && json_next_member(&members, &key, &value))
			there = json_string_is(&key, bytes, len);
		if (!look_spend(l, 1 + x->len / 128))
			return false;
		if (!there)
			return look_fault(l, &p->value,
			    "%s is missing, beside %s", look_show(&name, shown),
			    look_show(&p->key, because));
	}
	return true;
}

bool
dependent_required_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	(void)n;
	for (size_t i = 0; i < k->nparts; i++)
		if (has(l, x, k->parts[i].name, k->parts[i].len) &&
		    !all_there(l, &k->parts[i], x))
			return false;
	return l->stopped == 0;
}

bool
dependent_schemas_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	(void)n;
	for (size_t i = 0; i < k->nparts; i++)
		if (has(l, x, k->parts[i].name, k->parts[i].len) &&
		    !look_visit(l, k->parts[i].node, x))
			return false;
	return l->stopped == 0;
}

/* The part of this name; NULL: none. */
static const struct part *
named(struct look *l, const struct keyword *k, const struct json *key)
{
	if (k == NULL || !look_spend(l, k->nparts / NAMES_PER_STEP))
		return NULL;
	for (size_t i = 0; i < k->nparts; i++)
		if (json_string_is(key, k->parts[i].name, k->parts[i].len))
			return &k->parts[i];
	return NULL;
}

bool
properties_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	struct json_walk w = json_walk(x);
	struct json key, value;

	(void)n;
	while (json_next_member(&w, &key, &value)) {
		const struct part *p = named(l, k, &key);

		if (l->stopped != 0 ||
		    (p != NULL && !look_below(l, p->node, &value, &key, 0)))
			return false;
	}
	return true;
}

static bool
matches(struct look *l, const struct part *p, const struct json *key)
{
	const char *bytes;
	size_t len;

	if (!look_text(l, key, &bytes, &len))
		return false;
	int r = pattern_matches(p->pattern, bytes, len, l->left);
	if (r < 0)
		return look_stop(l, r);
	return r > 0;
}

bool
pattern_properties_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	struct json_walk w = json_walk(x);
	struct json key, value;

	(void)n;
	while (json_next_member(&w, &key, &value))
		for (size_t i = 0; i < k->nparts; i++) {
			const struct part *p = &k->parts[i];

			if (matches(l, p, &key) &&
			    !look_below(l, p->node, &value, &key, 0))
				return false;
			if (l->stopped != 0)
				return false;
		}
	return true;
}

/* Neither named nor matched by those beside this keyword. */
static bool
is_additional(struct look *l, const struct node *n, const struct json *key)
{
	const struct keyword *patterns =
	    node_keyword(n, KEYWORD_PATTERN_PROPERTIES);

	if (named(l, node_keyword(n, KEYWORD_PROPERTIES), key) != NULL)
		return false;
	for (size_t i = 0; patterns != NULL && i < patterns->nparts; i++)
		if (matches(l, &patterns->parts[i], key))
			return false;
	return l->stopped == 0;
}

bool
additional_properties_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	struct json_walk w = json_walk(x);
	struct json key, value;

	while (json_next_member(&w, &key, &value)) {
		if (is_additional(l, n, &key) &&
		    !look_below(l, k->parts[0].node, &value, &key, 0))
			return false;
		if (l->stopped != 0)
			return false;
	}
	return true;
}

bool
property_names_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	struct json_walk w = json_walk(x);
	struct json key, value;

	(void)n;
	while (json_next_member(&w, &key, &value))
		if (!look_below(l, k->parts[0].node, &key, &key, 0))
			return false;
	return true;
}
