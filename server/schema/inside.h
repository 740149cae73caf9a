/*
 * inside - a schema as it is kept: for the files of this folder.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SCHEMA_INSIDE_H
#define SERVER_SCHEMA_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/schema/number.h"
#include "server/schema/pattern.h"
#include "server/schema/schema.h"

/* In the order in which they are looked at: what is plain to tell first. */
enum keyword_name {
	KEYWORD_DRAFT, /* $schema */
	KEYWORD_ID,
	KEYWORD_ANCHOR,
	KEYWORD_COMMENT,
	KEYWORD_DEFS,
	KEYWORD_TITLE,
	KEYWORD_DESCRIPTION,
	KEYWORD_DEFAULT,
	KEYWORD_DEPRECATED,
	KEYWORD_READ_ONLY,
	KEYWORD_WRITE_ONLY,
	KEYWORD_EXAMPLES,
	KEYWORD_FORMAT,
	KEYWORD_CONTENT_ENCODING,
	KEYWORD_CONTENT_MEDIA_TYPE,
	KEYWORD_CONTENT_SCHEMA,
	KEYWORD_TYPE,
	KEYWORD_CONST,
	KEYWORD_ENUM,
	KEYWORD_MINIMUM,
	KEYWORD_EXCLUSIVE_MINIMUM,
	KEYWORD_MAXIMUM,
	KEYWORD_EXCLUSIVE_MAXIMUM,
	KEYWORD_MULTIPLE_OF,
	KEYWORD_MIN_LENGTH,
	KEYWORD_MAX_LENGTH,
	KEYWORD_PATTERN,
	KEYWORD_MIN_ITEMS,
	KEYWORD_MAX_ITEMS,
	KEYWORD_PREFIX_ITEMS,
	KEYWORD_ITEMS,
	KEYWORD_MIN_CONTAINS,
	KEYWORD_MAX_CONTAINS,
	KEYWORD_CONTAINS,
	KEYWORD_UNIQUE_ITEMS,
	KEYWORD_MIN_PROPERTIES,
	KEYWORD_MAX_PROPERTIES,
	KEYWORD_REQUIRED,
	KEYWORD_DEPENDENT_REQUIRED,
	KEYWORD_PROPERTIES,
	KEYWORD_PATTERN_PROPERTIES,
	KEYWORD_ADDITIONAL_PROPERTIES,
	KEYWORD_PROPERTY_NAMES,
	KEYWORD_DEPENDENT_SCHEMAS,
	KEYWORD_REF,
	KEYWORD_ALL_OF,
	KEYWORD_ANY_OF,
	KEYWORD_ONE_OF,
	KEYWORD_NOT,
	KEYWORD_IF,
	KEYWORD_THEN,
	KEYWORD_ELSE,
	KEYWORDS
};

/* One of several things that a keyword lists. */
struct part {
	struct json key;   /* a member's name, where it has one */
	struct json value; /* what stands there */
	char *name;        /* owned: the key decoded; NULL: none */
	size_t len;
	struct node *node;       /* borrowed from the schema */
	struct pattern *pattern; /* owned */
};

struct keyword {
	enum keyword_name name;
	struct json value; /* as written */
	uint64_t count;    /* of a length or number of things */
	struct number number;
	unsigned kinds;     /* of "type": bits by enum json_kind */
	bool whole;         /* "integer" is among them */
	struct part *parts; /* owned */
	size_t nparts;
};

/* A schema within the schema. */
struct node {
	struct json at;
	enum { NODE_KEYWORDS, NODE_TRUE, NODE_FALSE } kind;
	enum { NODE_NEW, NODE_OPEN, NODE_DONE } mark; /* loops.c */
	struct keyword *keywords;                     /* owned; ascending */
	size_t nkeywords;
};

struct schema {
	char *text; /* owned; what everything points into */
	struct json root;
	struct node *first;
	struct node **nodes; /* owned, all of them */
	size_t nnodes;
	char *scratch; /* owned; for strings with escapes */
	size_t scratch_cap;
};

/* NULL: the node has no such keyword. */
const struct keyword *
node_keyword(const struct node *n, enum keyword_name name);

/* ---- reading ------------------------------------------------------------ */

struct compiler;
typedef int keyword_read(struct compiler *c, struct keyword *k);

/* ---- judging ------------------------------------------------------------ */

/* The way to the value at hand; in the frames of those who went there. */
struct step {
	const struct step *up;
	const struct json *key; /* NULL: index counts */
	size_t index;
};

struct look {
	struct schema *schema;
	uint64_t *left;
	const struct step *at;
	unsigned depth;
	unsigned quiet; /* above 0: a fault is no fault of the whole */
	int stopped;    /* a negative errno: what is returned means nothing */
	bool told;
	struct schema_fault *fault;
};

/* Whether the value fits; false, and the fault told, when not. */
typedef bool keyword_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x);

/* Takes steps. False when they are used up: then l is stopped. */
bool look_spend(struct look *l, uint64_t steps);
bool look_stop(struct look *l, int error);

/* Whether x fits the node; look_below(): x is a member or element of it. */
bool look_visit(struct look *l, const struct node *n, const struct json *x);
bool look_below(struct look *l, const struct node *n, const struct json *x,
    const struct json *key, size_t index);
/* The same, without telling a fault. */
bool look_quietly(struct look *l, const struct node *n, const struct json *x);

/* Tells a fault of the value at hand, if none was; false. */
bool look_fault(struct look *l, const struct json *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "3", "\"text\"...", "an object": for messages. */
const char *look_show(const struct json *x, char out[64]);

/* A string's characters, borrowed until the next call. False: l is stopped. */
bool look_text(
    struct look *l, const struct json *string, const char **bytes, size_t *len);

/* Whether two values are equal as JSON Schema has it: 1 is 1.0. */
bool look_same(struct look *l, const struct json *a, const struct json *b);
/* Equal values have equal hashes. */
uint64_t look_hash(struct look *l, const struct json *x);

/* ---- the table ------------------------------------------------------------ */

struct keyword_row {
	const char *name;
	keyword_read *read;
	keyword_holds *holds; /* NULL: says nothing of a value by itself */
	unsigned about;       /* kinds of values: bits by enum json_kind */
	bool in_place;        /* its schemas are applied to the same value */
};
extern const struct keyword_row keyword_rows[KEYWORDS];

keyword_read read_anything, read_text, read_flag, read_draft, read_id,
    read_anchor, read_schema, read_schemas, read_schema_map, read_pattern_map,
    read_number, read_divisor, read_count, read_type, read_list, read_names,
    read_names_map, read_pattern, read_ref;

keyword_holds type_holds, const_holds, enum_holds, minimum_holds,
    exclusive_minimum_holds, maximum_holds, exclusive_maximum_holds,
    multiple_holds, min_length_holds, max_length_holds, pattern_holds;
keyword_holds min_items_holds, max_items_holds, prefix_items_holds, items_holds,
    contains_holds, unique_holds;
keyword_holds min_properties_holds, max_properties_holds, required_holds,
    dependent_required_holds, properties_holds, pattern_properties_holds,
    additional_properties_holds, property_names_holds;
keyword_holds ref_holds, all_of_holds, any_of_holds, one_of_holds, not_holds,
    if_holds, dependent_schemas_holds;

/* Refuses a schema that leads back to itself without going into the value. */
int loops_refuse(const struct schema *s, size_t *at, struct err *e);

#endif
