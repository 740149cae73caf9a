/*
 * same - whether two values are equal, whatever way they are written.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "server/schema/inside.h"

#define PRIME UINT64_C(0x100000001b3)
#define BASIS UINT64_C(0xcbf29ce484222325)

static bool
same_text(struct look *l, const struct json *a, const struct json *b)
{
	const char *bytes;
	size_t len;

	return look_text(l, a, &bytes, &len) && json_string_is(b, bytes, len);
}

static bool
same_list(struct look *l, const struct json *a, const struct json *b)
{
	struct json_walk v = json_walk(a), w = json_walk(b);
	struct json x, y;

	for (;;) {
		bool more = json_next_element(&v, &x);

		if (more != json_next_element(&w, &y))
			return false;
		if (!more)
			return true;
		if (!look_same(l, &x, &y))
			return false;
	}
}

/* Whether a member of this name and value is there. */
static bool
has_like(struct look *l, const struct json *object, const struct json *key,
    const struct json *value)
{
	struct json_walk w = json_walk(object);
	struct json other, there;

	while (json_next_member(&w, &other, &there) && look_spend(l, 1))
		if (same_text(l, key, &other) && look_same(l, value, &there))
			return true;
	return false;
}

/* Of as many members, each has its like in the other. */
static bool
same_object(struct look *l, const struct json *a, const struct json *b)
{
	struct json_walk w = json_walk(a);
	struct json key, value;

	if (json_count(a) != json_count(b))
		return false;
	while (json_next_member(&w, &key, &value))
		if (!has_like(l, b, &key, &value))
			return false;
	return true;
}

bool
look_same(struct look *l, const struct json *a, const struct json *b)
{
	if (a->kind != b->kind || !look_spend(l, 1))
		return false;
	switch (a->kind) {
	case JSON_STRING:
		return same_text(l, a, b);
	case JSON_ARRAY:
		return same_list(l, a, b);
	case JSON_OBJECT:
		return same_object(l, a, b);
	case JSON_NUMBER: {
		struct number n = number_read(a), m = number_read(b);

		return number_compare(&n, &m) == 0;
	}
	default:
		return true;
	}
}

static uint64_t
hash_text(struct look *l, const struct json *x)
{
	uint64_t hash = BASIS;
	const char *bytes;
	size_t len;

	if (!look_text(l, x, &bytes, &len))
		return 0;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * PRIME;
	return hash;
}

uint64_t
look_hash(struct look *l, const struct json *x)
{
	struct json_walk w = json_walk(x);
	uint64_t hash = BASIS + x->kind;
	struct json key, value;

	if (!look_spend(l, 1))
		return 0;
	switch (x->kind) {
	case JSON_STRING:
		return hash_text(l, x);
	case JSON_NUMBER: {
		struct number n = number_read(x);

		return number_hash(&n) * PRIME;
	}
	case JSON_ARRAY:
		while (json_next_element(&w, &value))
			hash = (hash ^ look_hash(l, &value)) * PRIME;
		return hash;
	case JSON_OBJECT: /* in any order */
		while (json_next_member(&w, &key, &value))
			hash +=
			    (hash_text(l, &key) ^ look_hash(l, &value) * 31) *
			    PRIME;
		return hash;
	default:
		return hash;
	}
}
