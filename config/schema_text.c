/*
 * schema_text - a JSON Schema as JSON text that knows its lines.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/schema_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

struct writer {
	struct reader *r;
	struct buf *out;
	struct schema_place *places;
	size_t nplaces;
	bool failed; /* memory is short */
};

static void
note(struct writer *w, struct mark at)
{
	size_t n = w->nplaces;

	if ((n & (n - 1)) == 0) {
		struct schema_place *more = reallocarray(
		    w->places, n == 0 ? 1 : n * 2, sizeof *w->places);

		if (more == NULL) {
			w->failed = true;
			return;
		}
		w->places = more;
	}
	w->places[w->nplaces++] = (struct schema_place){ buf_len(w->out), at };
}

static void
put(struct writer *w, const char *text)
{
	w->failed |= buf_puts(w->out, text) < 0;
}

static void
put_string(struct writer *w, const struct node *n)
{
	note(w, n->at);
	w->failed |= json_put_string(w->out, n->text, strlen(n->text)) < 0;
}

/* What one reader of YAML takes for text, and another one does not. */
static bool
is_ambiguous(const char *text)
{
	static const char *const words[] = { "yes", "no", "on", "off", "y", "n",
		"true", "false", "null", ".inf", "-.inf", "+.inf", ".nan" };
	bool digit = false;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	if (strchr("0123456789+-.", text[0]) == NULL)
		return false;
	for (; *text != '\0'; text++) {
		if (strchr("0123456789abcdefABCDEFxXoO_+-.:", *text) == NULL)
			return false;
		digit |= isdigit((unsigned char)*text) != 0;
	}
	return digit;
}

static void
put_scalar(struct writer *w, const struct node *n)
{
	char quoted[READER_QUOTED_MAX];
	struct json value;

	if (n->quoted) {
		put_string(w, n);
		return;
	}
	if (n->text[0] == '\0' || strcmp(n->text, "~") == 0) {
		note(w, n->at);
		put(w, "null");
		return;
	}
	if (json_check(n->text, strlen(n->text), &value, NULL) == 0 &&
	    value.kind >= JSON_NUMBER && value.len == strlen(n->text)) {
		note(w, n->at);
		put(w, n->text);
		return;
	}
	if (is_ambiguous(n->text))
		reader_complain(w->r, n->at,
		    "%s can be read in two ways, expected quotes around it, "
		    "or a number, true, false or null as JSON writes them",
		    reader_quote(n->text, quoted));
	put_string(w, n);
}

/* The tree is at most DOCUMENT_DEPTH_MAX deep. */
static void
put_tree(struct writer *w, const struct node *n)
{
	bool mapping = n->kind == NODE_MAPPING;

	if (n->kind == NODE_SCALAR) {
		put_scalar(w, n);
		return;
	}
	note(w, n->at);
	put(w, mapping ? "{" : "[");
	for (size_t i = 0; i < n->count; i++) {
		if (i > 0)
			put(w, ",");
		if (mapping) {
			put_string(w, n->keys[i]);
			put(w, ":");
		}
		put_tree(w, n->items[i]);
	}
	put(w, mapping ? "}" : "]");
}

static char *
copy_text(const struct buf *b)
{
	char *text = malloc(buf_len(b) + 1);

	if (text == NULL)
		return NULL;
	memcpy(text, buf_front(b), buf_len(b));
	text[buf_len(b)] = '\0';
	return text;
}

bool
schema_text_from_tree(
    struct reader *r, const struct node *n, struct schema_text *out)
{
	size_t before = r->count;
	struct writer w = { .r = r,
		.out = buf_new((size_t)8 * DOCUMENT_SIZE_MAX) };

	if (w.out != NULL)
		put_tree(&w, n);
	*out = (struct schema_text){ .places = w.places, .nplaces = w.nplaces };
	if (w.out != NULL && !w.failed && r->count == before) {
		out->file = strdup(reader_file(r, n->at));
		out->json = copy_text(w.out);
		out->len = buf_len(w.out);
	}
	if (r->count == before && (out->file == NULL || out->json == NULL))
		reader_no_memory(r);
	buf_free(w.out);
	if (r->count == before)
		return true;
	schema_text_clear(out);
	return false;
}

/* ---- files ---------------------------------------------------------------- */

/* Beside the file that names it. Owned; NULL: memory is short. */
static char *
whole_path(const char *beside, const char *path)
{
	const char *slash = strrchr(beside, '/');
	char *whole;

	if (path[0] == '/' || slash == NULL)
		return strdup(path);
	return asprintf(
		   &whole, "%.*s/%s", (int)(slash - beside), beside, path) < 0
	    ? NULL
	    : whole;
}

static bool
is_yaml(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL &&
	    (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static void
note_inner(void *ctx, const char *message)
{
	reader_note(ctx, 0, message);
}

/* Its mistakes are told with its own name. */
static bool
from_yaml(struct reader *r, const char *path, const char *text, size_t len,
    struct schema_text *out)
{
	struct reader inner = { .file = path, .lookup = r->lookup };
	struct err e = { 0 };
	struct node *root = document_read(path, text, len, &e);
	bool good;

	if (root == NULL) {
		reader_note(r, 0, e.text);
		return false;
	}
	good = schema_text_from_tree(&inner, root, out);
	document_free(root);
	if (!good)
		(void)reader_finish(&inner, note_inner, r);
	return good;
}

bool
schema_text_from_file(struct reader *r, struct mark at, const char *name,
    const char *path, struct schema_text *out)
{
	struct err e = { 0 };
	char *whole = whole_path(reader_file(r, at), path);
	char *text;
	size_t len;

	*out = (struct schema_text){ 0 };
	if (whole == NULL) {
		reader_no_memory(r);
		return false;
	}
	text = document_load(whole, &len, &e);
	if (text == NULL) {
		reader_complain(r, at, "%s: %s", name, e.text);
		free(whole);
		return false;
	}
	if (is_yaml(whole)) {
		bool good = from_yaml(r, whole, text, len, out);

		free(text);
		free(whole);
		return good;
	}
	*out = (struct schema_text){ .file = whole, .json = text, .len = len };
	return true;
}

/* ---- places ----------------------------------------------------------------- */

static struct mark
count_lines(const char *text, size_t offset)
{
	struct mark at = { .line = 1, .column = 1 };

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			at.line++;
			at.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

struct mark
schema_text_place(const struct schema_text *t, size_t offset)
{
	struct mark at = { .line = 1, .column = 1 };

	if (t->places == NULL)
		return count_lines(t->json, offset < t->len ? offset : t->len);
	for (size_t i = 0; i < t->nplaces && t->places[i].offset <= offset; i++)
		at = t->places[i].at;
	return at;
}

void
schema_text_clear(struct schema_text *t)
{
	free(t->file);
	free(t->json);
	free(t->places);
	*t = (struct schema_text){ 0 };
}
