/*
 * compile - a schema from its text: every schema within it a node, found by
 * the place of its text, so that references are pointers.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/schema/compiler.h"

int
compiler_fault(
    struct compiler *c, const struct json *where, const char *fmt, ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof text, fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	*c->at = (size_t)(where->text - c->s->text);
	return err_set(c->e, EINVAL, "%s%s%s", c->name,
	    c->name[0] != '\0' ? ": " : "", text);
}

int
compiler_no_memory(struct compiler *c)
{
	return err_set(c->e, ENOMEM, "out of memory");
}

int
compiler_parts(struct compiler *c, struct keyword *k, size_t n)
{
	k->parts = calloc(n > 0 ? n : 1, sizeof *k->parts);
	return k->parts != NULL ? 0 : compiler_no_memory(c);
}

int
compiler_later(struct compiler *c, struct keyword *k)
{
	struct keyword **more =
	    reallocarray(c->refs, c->nrefs + 1, sizeof(struct keyword *));

	if (more == NULL)
		return compiler_no_memory(c);
	c->refs = more;
	c->refs[c->nrefs++] = k;
	return 0;
}

/* Found by the anchor's own bytes in the text. */
int
compiler_anchor(struct compiler *c, const struct json *name)
{
	int r = map_put(c->anchors, name->text + 1, name->len - 2, c->node);

	if (r == -EEXIST)
		return compiler_fault(
		    c, name, "another schema has this name too");
	return r < 0 ? compiler_no_memory(c) : 0;
}

/* ---- one schema --------------------------------------------------------- */

/* Words of other drafts, and those that are left out. */
static int
unknown(struct compiler *c, const struct json *key)
{
	static const struct {
		const char *name, *instead;
	} others[] = {
		{ "definitions", ", expected $defs" },
		{ "dependencies",
		    ", expected dependentRequired or dependentSchemas" },
		{ "additionalItems", ", expected items, beside prefixItems" },
		{ "id", ", expected $id" },
	};
	const char *instead = "";
	char shown[64];

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (json_string_is(key, others[i].name, strlen(others[i].name)))
			instead = others[i].instead;
	return compiler_fault(c, key,
	    "%s is not among the keywords that are understood here%s",
	    look_show(key, shown), instead);
}

static int
row_of(const struct json *key)
{
	for (int i = 0; i < KEYWORDS; i++)
		if (json_string_is(key, keyword_rows[i].name,
			strlen(keyword_rows[i].name)))
			return i;
	return -1;
}

static int
read_keywords(struct compiler *c, struct node *n)
{
	struct json values[KEYWORDS] = { 0 };
	struct json_walk w = json_walk(&n->at);
	struct json key, value;
	size_t count = 0;

	while (json_next_member(&w, &key, &value)) {
		int row = row_of(&key);

		if (row < 0)
			return unknown(c, &key);
		if (values[row].kind != JSON_NONE)
			return compiler_fault(
			    c, &key, "%s is set twice", keyword_rows[row].name);
		values[row] = value;
		count++;
	}
	n->keywords = calloc(count > 0 ? count : 1, sizeof *n->keywords);
	if (n->keywords == NULL)
		return compiler_no_memory(c);
	for (int i = 0; i < KEYWORDS; i++) {
		if (values[i].kind == JSON_NONE)
			continue;
		struct keyword *k = &n->keywords[n->nkeywords++];
		const char *outer = c->name;

		k->name = (enum keyword_name)i;
		k->value = values[i];
		c->name = keyword_rows[i].name;
		c->node = n;
		if (keyword_rows[i].read(c, k) < 0)
			return -EINVAL;
		c->name = outer;
	}
	return 0;
}

static struct node *
node_new(struct compiler *c, const struct json *at)
{
	struct schema *s = c->s;
	struct node *n;

	if (s->nnodes == SCHEMA_NODES_MAX) {
		(void)compiler_fault(
		    c, at, "more than %d schemas", SCHEMA_NODES_MAX);
		return NULL;
	}
	struct node **more =
	    reallocarray(s->nodes, s->nnodes + 1, sizeof(struct node *));
	if (more != NULL)
		s->nodes = more;
	n = more != NULL ? calloc(1, sizeof *n) : NULL;
	if (n == NULL) {
		(void)compiler_no_memory(c);
		return NULL;
	}
	n->at = *at;
	s->nodes[s->nnodes++] = n;
	if (map_put(c->nodes, (const char *)&n->at.text, sizeof n->at.text, n) <
	    0) {
		(void)compiler_no_memory(c);
		return NULL;
	}
	return n;
}

struct node *
compiler_node(struct compiler *c, const struct json *at)
{
	struct node *n =
	    map_get(c->nodes, (const char *)&at->text, sizeof at->text);
	char shown[64];

	if (n != NULL)
		return n;
	if (at->kind != JSON_OBJECT && at->kind != JSON_TRUE &&
	    at->kind != JSON_FALSE) {
		(void)compiler_fault(c, at,
		    "%s stands here, expected a schema: an object, true or "
		    "false",
		    look_show(at, shown));
		return NULL;
	}
	n = node_new(c, at);
	if (n == NULL)
		return NULL;
	n->kind = at->kind == JSON_TRUE ? NODE_TRUE
	    : at->kind == JSON_FALSE    ? NODE_FALSE
					: NODE_KEYWORDS;
	if (n->kind == NODE_KEYWORDS && read_keywords(c, n) < 0)
		return NULL;
	return n;
}

/* ---- references ----------------------------------------------------------- */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX; anything else stays. Returns the length, at most that of the text. */
static size_t
decode_percent(char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && i + 2 < len && hex(text[i + 1]) >= 0 &&
		    hex(text[i + 2]) >= 0) {
			text[n++] =
			    (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
			i += 2;
		} else {
			text[n++] = text[i];
		}
	}
	return n;
}

/* What follows '#', for a reference into this document; NULL: elsewhere. */
static char *
fragment(const struct compiler *c, char *text, size_t *len)
{
	if (c->id != NULL && *len >= c->id_len &&
	    memcmp(text, c->id, c->id_len) == 0 &&
	    (*len == c->id_len || text[c->id_len] == '#')) {
		text += c->id_len;
		*len -= c->id_len;
	}
	if (*len > 0 && *text != '#')
		return NULL;
	if (*len > 0) {
		text++;
		--*len;
	}
	*len = decode_percent(text, *len);
	return text;
}

static int
follow(struct compiler *c, struct keyword *k)
{
	char text[1024], shown[64];
	ssize_t r = json_decode_string(&k->value, text, sizeof text);
	size_t len = (size_t)r;
	struct node *n;

	c->name = "$ref";
	char *to = r < 0 ? NULL : fragment(c, text, &len);
	if (to == NULL)
		return compiler_fault(c, &k->value,
		    "%s leads out of this document, expected \"#\" and a JSON "
		    "Pointer or an $anchor",
		    look_show(&k->value, shown));
	if (len == 0 || *to == '/') {
		struct json found = pointer_find(&c->s->root, to, len);

		if (found.kind == JSON_NONE)
			return compiler_fault(c, &k->value, "%s leads nowhere",
			    look_show(&k->value, shown));
		n = compiler_node(c, &found);
		if (n == NULL)
			return -EINVAL;
	} else {
		n = map_get(c->anchors, to, len);
		if (n == NULL)
			return compiler_fault(c, &k->value,
			    "%s: no schema has this $anchor",
			    look_show(&k->value, shown));
	}
	k->parts[0].node = n;
	return 0;
}

/* Following one may bring more. */
static int
follow_all(struct compiler *c)
{
	for (size_t i = 0; i < c->nrefs; i++)
		if (follow(c, c->refs[i]) < 0)
			return -EINVAL;
	return 0;
}

/* ---- the document --------------------------------------------------------- */

static int
compile(struct compiler *c, size_t len)
{
	struct json_fault wrong;
	struct schema *s = c->s;

	if (json_check(s->text, len, &s->root, &wrong) < 0) {
		*c->at = wrong.at;
		return err_set(c->e, EINVAL, "not JSON: %s", wrong.why);
	}
	s->first = compiler_node(c, &s->root);
	if (s->first == NULL || follow_all(c) < 0)
		return -EINVAL;
	return loops_refuse(s, c->at, c->e);
}

struct schema *
schema_new(const char *text, size_t len, size_t *at, struct err *e)
{
	struct compiler c = { .name = "", .at = at, .e = e };
	int r;

	*at = 0;
	if (len > SCHEMA_TEXT_MAX) {
		err_set(e, EINVAL, "%zu bytes, expected at most %d", len,
		    SCHEMA_TEXT_MAX);
		return NULL;
	}
	c.s = calloc(1, sizeof *c.s);
	if (c.s == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	c.s->text = malloc(len + 1);
	c.nodes = map_new();
	c.anchors = map_new();
	if (c.s->text == NULL || c.nodes == NULL || c.anchors == NULL) {
		r = err_set(e, ENOMEM, "out of memory");
	} else {
		memcpy(c.s->text, text, len);
		c.s->text[len] = '\0';
		r = compile(&c, len);
	}
	map_free(c.nodes);
	map_free(c.anchors);
	free(c.refs);
	if (r == 0)
		return c.s;
	schema_free(c.s);
	return NULL;
}

static void
keyword_clear(struct keyword *k)
{
	for (size_t i = 0; i < k->nparts; i++) {
		free(k->parts[i].name);
		pattern_free(k->parts[i].pattern);
	}
	free(k->parts);
}

void
schema_free(struct schema *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nnodes; i++) {
		struct node *n = s->nodes[i];

		for (size_t k = 0; k < n->nkeywords; k++)
			keyword_clear(&n->keywords[k]);
		free(n->keywords);
		free(n);
	}
	free(s->nodes);
	free(s->text);
	free(s->scratch);
	free(s);
}
