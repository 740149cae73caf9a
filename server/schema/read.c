/*
 * read - what may stand behind each keyword, read for use.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>
#include <string.h>

#include "server/schema/compiler.h"

static int
wrong(struct compiler *c, const struct json *at, const char *expected)
{
	char shown[64];

	return compiler_fault(c, at, "%s stands here, expected %s",
	    look_show(at, shown), expected);
}

int
read_anything(struct compiler *c, struct keyword *k)
{
	(void)c;
	(void)k;
	return 0;
}

int
read_text(struct compiler *c, struct keyword *k)
{
	return k->value.kind == JSON_STRING ? 0
					    : wrong(c, &k->value, "a string");
}

int
read_flag(struct compiler *c, struct keyword *k)
{
	return k->value.kind == JSON_TRUE || k->value.kind == JSON_FALSE
	    ? 0
	    : wrong(c, &k->value, "true or false");
}

int
read_draft(struct compiler *c, struct keyword *k)
{
	static const char draft[] =
	    "https://json-schema.org/draft/2020-12/schema";
	const size_t len = sizeof draft - 1;

	if (k->value.kind == JSON_STRING &&
	    (json_string_is(&k->value, draft, len) ||
		json_string_is(&k->value,
		    "https://json-schema.org/draft/2020-12/schema#", len + 1)))
		return 0;
	return wrong(
	    c, &k->value, "\"https://json-schema.org/draft/2020-12/schema\"");
}

/* Of the whole document; a schema within has no address of its own here. */
int
read_id(struct compiler *c, struct keyword *k)
{
	const char *bytes;
	size_t len;

	if (k->value.kind != JSON_STRING)
		return wrong(c, &k->value, "a string");
	if (c->node->at.text != c->s->root.text)
		return compiler_fault(
		    c, &k->value, "only the whole document may have one here");
	if (json_plain_string(&k->value, &bytes, &len)) {
		c->id = bytes;
		c->id_len = len > 0 && bytes[len - 1] == '#' ? len - 1 : len;
	}
	return 0;
}

int
read_anchor(struct compiler *c, struct keyword *k)
{
	const char *name;
	size_t len;

	if (!json_plain_string(&k->value, &name, &len) || len == 0 ||
	    (name[0] >= '0' && name[0] <= '9') || name[0] == '-' ||
	    name[0] == '.')
		return wrong(c, &k->value, "a name of letters and digits");
	for (size_t i = 0; i < len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-_."
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			name[i]) == NULL)
			return wrong(
			    c, &k->value, "a name of letters and digits");
	return compiler_anchor(c, &k->value);
}

/* ---- schemas -------------------------------------------------------------- */

static int
add_schema(struct compiler *c, struct keyword *k, const struct json *at)
{
	struct part *p = &k->parts[k->nparts];

	p->value = *at;
	p->node = compiler_node(c, at);
	if (p->node == NULL)
		return -EINVAL;
	k->nparts++;
	return 0;
}

int
read_schema(struct compiler *c, struct keyword *k)
{
	if (compiler_parts(c, k, 1) < 0)
		return -EINVAL;
	return add_schema(c, k, &k->value);
}

int
read_schemas(struct compiler *c, struct keyword *k)
{
	struct json_walk w = json_walk(&k->value);
	size_t n = json_count(&k->value);
	struct json one;

	if (k->value.kind != JSON_ARRAY || n == 0)
		return wrong(c, &k->value, "a list of schemas");
	if (compiler_parts(c, k, n) < 0)
		return -EINVAL;
	while (json_next_element(&w, &one))
		if (add_schema(c, k, &one) < 0)
			return -EINVAL;
	return 0;
}

/* The decoded name of the part to come. */
static int
take_name(struct compiler *c, struct part *p, const struct json *key)
{
	ssize_t len;

	p->key = *key;
	p->name = malloc(key->len);
	if (p->name == NULL)
		return compiler_no_memory(c);
	len = json_decode_string(key, p->name, key->len);
	p->len = len > 0 ? (size_t)len : 0;
	return 0;
}

/*
 * Each member of a mapping becomes a part with a name. What is read of its
 * value is the caller's; a part counts as soon as it owns something.
 */
static int
each_member(struct compiler *c, struct keyword *k, const char *expected,
    int (*read)(struct compiler *c, struct part *p))
{
	struct json_walk w = json_walk(&k->value);
	struct json key, value;

	if (k->value.kind != JSON_OBJECT)
		return wrong(c, &k->value, expected);
	if (compiler_parts(c, k, json_count(&k->value)) < 0)
		return -EINVAL;
	while (json_next_member(&w, &key, &value)) {
		struct part *p = &k->parts[k->nparts++];

		if (take_name(c, p, &key) < 0)
			return -EINVAL;
		p->value = value;
		for (struct part *q = k->parts; q < p; q++)
			if (q->len == p->len &&
			    memcmp(q->name, p->name, p->len) == 0)
				return compiler_fault(
				    c, &key, "this name stands twice");
		if (read(c, p) < 0)
			return -EINVAL;
	}
	return 0;
}

static int
part_schema(struct compiler *c, struct part *p)
{
	p->node = compiler_node(c, &p->value);
	return p->node != NULL ? 0 : -EINVAL;
}

int
read_schema_map(struct compiler *c, struct keyword *k)
{
	return each_member(c, k, "an object of schemas", part_schema);
}

static int
part_regexp(struct compiler *c, struct part *p, const struct json *at)
{
	struct err e;

	p->pattern = pattern_new(p->name, p->len, &e);
	if (p->pattern != NULL)
		return 0;
	return e.code == ENOMEM ? compiler_no_memory(c)
				: compiler_fault(c, at, "%s", e.text);
}

static int
part_pattern(struct compiler *c, struct part *p)
{
	return part_regexp(c, p, &p->key) < 0 ? -EINVAL : part_schema(c, p);
}

int
read_pattern_map(struct compiler *c, struct keyword *k)
{
	return each_member(
	    c, k, "an object of patterns and schemas", part_pattern);
}

int
read_pattern(struct compiler *c, struct keyword *k)
{
	if (k->value.kind != JSON_STRING)
		return wrong(c, &k->value, "a regular expression");
	if (compiler_parts(c, k, 1) < 0)
		return -EINVAL;
	k->nparts = 1;
	return take_name(c, &k->parts[0], &k->value) < 0
	    ? -EINVAL
	    : part_regexp(c, &k->parts[0], &k->value);
}

int
read_ref(struct compiler *c, struct keyword *k)
{
	if (k->value.kind != JSON_STRING)
		return wrong(c, &k->value, "a reference within this document");
	if (compiler_parts(c, k, 1) < 0)
		return -EINVAL;
	k->nparts = 1;
	return compiler_later(c, k);
}

/* ---- values --------------------------------------------------------------- */

int
read_number(struct compiler *c, struct keyword *k)
{
	if (k->value.kind != JSON_NUMBER)
		return wrong(c, &k->value, "a number");
	k->number = number_read(&k->value);
	return 0;
}

int
read_divisor(struct compiler *c, struct keyword *k)
{
	static const char expected[] = "a number above 0, of at most 18 digits";

	if (k->value.kind != JSON_NUMBER)
		return wrong(c, &k->value, expected);
	k->number = number_read(&k->value);
	if (k->number.count == 0 || k->number.negative ||
	    k->number.count > NUMBER_DIVISOR_DIGITS)
		return wrong(c, &k->value, expected);
	return 0;
}

int
read_count(struct compiler *c, struct keyword *k)
{
	static const char expected[] = "a whole number, 0 or more";

	if (k->value.kind != JSON_NUMBER)
		return wrong(c, &k->value, expected);
	struct number n = number_read(&k->value);
	return number_count(&n, &k->count) < 0 ? wrong(c, &k->value, expected)
					       : 0;
}

int
read_list(struct compiler *c, struct keyword *k)
{
	struct json_walk w = json_walk(&k->value);
	struct json one;

	if (k->value.kind != JSON_ARRAY)
		return wrong(c, &k->value, "a list");
	if (compiler_parts(c, k, json_count(&k->value)) < 0)
		return -EINVAL;
	while (json_next_element(&w, &one))
		k->parts[k->nparts++].value = one;
	return 0;
}

static int
add_names(
    struct compiler *c, struct part *parts, size_t *n, const struct json *list)
{
	struct json_walk w = json_walk(list);
	struct json one;

	while (json_next_element(&w, &one)) {
		if (one.kind != JSON_STRING)
			return wrong(c, &one, "a name");
		struct part *p = &parts[(*n)++];
		if (take_name(c, p, &one) < 0)
			return -EINVAL;
	}
	return 0;
}

int
read_names(struct compiler *c, struct keyword *k)
{
	if (k->value.kind != JSON_ARRAY)
		return wrong(c, &k->value, "a list of names");
	if (compiler_parts(c, k, json_count(&k->value)) < 0)
		return -EINVAL;
	return add_names(c, k->parts, &k->nparts, &k->value);
}

static int
part_names(struct compiler *c, struct part *p)
{
	struct json_walk w = json_walk(&p->value);
	struct json one;

	if (p->value.kind != JSON_ARRAY)
		return wrong(c, &p->value, "a list of names");
	while (json_next_element(&w, &one))
		if (one.kind != JSON_STRING)
			return wrong(c, &one, "a name");
	return 0;
}

int
read_names_map(struct compiler *c, struct keyword *k)
{
	return each_member(
	    c, k, "an object of names and lists of names", part_names);
}

static int
add_type(struct compiler *c, struct keyword *k, const struct json *word)
{
	static const struct {
		const char *name;
		unsigned kinds;
	} types[] = {
		{ "null", 1U << JSON_NULL },
		{ "boolean", 1U << JSON_TRUE | 1U << JSON_FALSE },
		{ "object", 1U << JSON_OBJECT },
		{ "array", 1U << JSON_ARRAY },
		{ "number", 1U << JSON_NUMBER },
		{ "string", 1U << JSON_STRING },
	};

	if (word->kind == JSON_STRING && json_string_is(word, "integer", 7)) {
		k->whole = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (word->kind == JSON_STRING &&
		    json_string_is(
			word, types[i].name, strlen(types[i].name))) {
			k->kinds |= types[i].kinds;
			return 0;
		}
	return wrong(
	    c, word, "null, boolean, object, array, number, string or integer");
}

int
read_type(struct compiler *c, struct keyword *k)
{
	struct json_walk w = json_walk(&k->value);
	struct json one;

	if (k->value.kind != JSON_ARRAY)
		return add_type(c, k, &k->value);
	if (json_count(&k->value) == 0)
		return wrong(c, &k->value, "at least one type");
	while (json_next_element(&w, &one))
		if (add_type(c, k, &one) < 0)
			return -EINVAL;
	return 0;
}
