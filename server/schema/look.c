/*
 * look - one value held against one schema: effort, depth, the first fault.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "server/schema/inside.h"

enum { BYTES_PER_STEP = 128 };

bool
look_stop(struct look *l, int error)
{
	if (l->stopped == 0)
		l->stopped = error;
	return false;
}

bool
look_spend(struct look *l, uint64_t steps)
{
	if (steps > *l->left) {
		*l->left = 0;
		return look_stop(l, -E2BIG);
	}
	*l->left -= steps;
	return l->stopped == 0;
}

static void
put_way(const struct step *s, char out[POINTER_SHOWN_MAX])
{
	if (s == NULL)
		return;
	put_way(s->up, out);
	if (s->key != NULL)
		pointer_add_name(out, s->key);
	else
		pointer_add_index(out, s->index);
}

/* A message is one line, and ends with a whole character. */
static void
make_plain(char *text, size_t cap)
{
	size_t len = strlen(text);

	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (len + 1 < cap)
		return;
	while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	text[len > 0 ? len - 1 : 0] = '\0';
}

bool
look_fault(struct look *l, const struct json *place, const char *fmt, ...)
{
	struct schema_fault *f = l->fault;
	va_list args;

	if (l->quiet > 0 || l->told || l->stopped != 0)
		return false;
	l->told = true;
	f->at[0] = '\0';
	put_way(l->at, f->at);
	pointer_to(&l->schema->root, place, f->place);
	va_start(args, fmt);
	if (vsnprintf(f->text, sizeof f->text, fmt, args) < 0)
		f->text[0] = '\0';
	va_end(args);
	make_plain(f->text, sizeof f->text);
	return false;
}

const char *
look_show(const struct json *x, char out[64])
{
	enum { SHOWN = 40 };
	size_t len = x->len;
	const char *more = "";

	switch (x->kind) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		return "null";
	case JSON_NONE:
		return "nothing";
	default:
		break;
	}
	if (len > SHOWN) {
		len = utf8_cut(x->text, x->len, SHOWN);
		more = x->kind == JSON_STRING ? "...\"" : "...";
	}
	snprintf(out, 64, "%.*s%s", (int)len, x->text, more);
	return out;
}

bool
look_text(
    struct look *l, const struct json *string, const char **bytes, size_t *len)
{
	struct schema *s = l->schema;

	if (!look_spend(l, string->len / 64))
		return false;
	if (json_plain_string(string, bytes, len))
		return true;
	if (s->scratch_cap < string->len) {
		char *more = realloc(s->scratch, string->len);

		if (more == NULL)
			return look_stop(l, -ENOMEM);
		s->scratch = more;
		s->scratch_cap = string->len;
	}
	ssize_t n = json_decode_string(string, s->scratch, s->scratch_cap);
	*bytes = s->scratch;
	*len = n > 0 ? (size_t)n : 0;
	return true;
}

bool
look_visit(struct look *l, const struct node *n, const struct json *x)
{
	bool holds = true;

	if (!look_spend(l, 1))
		return false;
	if (n->kind == NODE_TRUE)
		return true;
	if (n->kind == NODE_FALSE)
		return look_fault(l, &n->at, "nothing is expected here");
	if (l->depth == SCHEMA_DEPTH_MAX)
		return look_stop(l, -E2BIG);
	l->depth++;
	for (size_t i = 0; i < n->nkeywords && holds; i++) {
		const struct keyword *k = &n->keywords[i];
		const struct keyword_row *row = &keyword_rows[k->name];

		if (row->holds == NULL || (row->about & 1U << x->kind) == 0)
			continue;
		/* Whoever walks a container looks at all of its bytes. */
		holds = look_spend(l, 1 + x->len / BYTES_PER_STEP) &&
		    row->holds(l, n, k, x);
	}
	l->depth--;
	return holds && l->stopped == 0;
}

bool
look_below(struct look *l, const struct node *n, const struct json *x,
    const struct json *key, size_t index)
{
	const struct step here = { l->at, key, index };

	l->at = &here;
	bool holds = look_visit(l, n, x);
	l->at = here.up;
	return holds;
}

bool
look_quietly(struct look *l, const struct node *n, const struct json *x)
{
	l->quiet++;
	bool holds = look_visit(l, n, x);
	l->quiet--;
	return holds;
}

int
schema_judge(struct schema *s, const struct json *value, uint64_t *left,
    struct schema_fault *fault)
{
	struct look l = { .schema = s, .fault = fault };

	l.left = left;
	bool holds = look_visit(&l, s->first, value);

	/* A long string's place is given back. */
	if (s->scratch_cap > 4096) {
		free(s->scratch);
		s->scratch = NULL;
		s->scratch_cap = 0;
	}
	if (l.stopped != 0)
		return l.stopped;
	return holds ? 0 : -EINVAL;
}
