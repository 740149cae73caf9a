/*
 * field - settings as rows: name, kind, limits, default, help.
 *
 * Tables and keys; what one value says is in field_value.c.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "config/field_value.h"

static const struct field *
find(const struct field *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

/* How many letters must be added, dropped or changed to turn a into b. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[FIELD_NAME_MAX + 1], width = strlen(b);

	if (strlen(a) > FIELD_NAME_MAX || width > FIELD_NAME_MAX)
		return FIELD_NAME_MAX;
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (diagonal + 1 < best)
				best = diagonal + 1;
			row[j] = best;
		}
	}
	return row[width];
}

/*
 * A third of the letters may be wrong and one more, since two that changed
 * places count twice. Farther off it would be a guess, not a help.
 */
static const char *
nearest(const struct field *rows, const char *name)
{
	const char *best = NULL;
	size_t least = strlen(name) / 3 + 2;

	for (; rows->name != NULL; rows++) {
		size_t d = distance(name, rows->name);

		if (d < least && d < strlen(rows->name)) {
			least = d;
			best = rows->name;
		}
	}
	return best;
}

static void
unknown(struct reader *r, const struct node *key, const char *prefix,
    const struct field *rows)
{
	char quoted[READER_QUOTED_MAX];
	const char *like = nearest(rows, key->text);
	int len = (int)strnlen(prefix, FIELD_NAME_MAX);

	reader_complain(r, key->at, "%.*s%sno setting is called %s%s%s%s",
	    len > 0 ? len - 1 : 0, prefix, len > 0 ? ": " : "",
	    reader_quote(key->text, quoted),
	    like != NULL ? ", expected \"" : "", like != NULL ? like : "",
	    like != NULL ? "\"?" : "");
}

/* Complains when a key stood before; false then. */
static bool
first_time(
    struct reader *r, struct map *seen, struct node *key, const char *prefix)
{
	size_t len = strlen(key->text);
	int result =
	    seen == NULL ? -ENOMEM : map_put(seen, key->text, len, key);

	if (result == -EEXIST) {
		const struct node *first = map_get(seen, key->text, len);

		if (first->at.file == key->at.file)
			reader_complain(r, key->at,
			    "%s%s is set twice, first in line %zu", prefix,
			    key->text, first->at.line);
		else
			reader_complain(r, key->at,
			    "%s%s is set twice, first in %s:%zu:%zu", prefix,
			    key->text, reader_file(r, first->at),
			    first->at.line, first->at.column);
		return false;
	}
	if (result < 0)
		reader_no_memory(r);
	return result == 0;
}

void
field_no_repeats(
    struct reader *r, const struct node *mapping, const char *prefix)
{
	struct map *seen = map_new();

	for (size_t i = 0; i < mapping->count; i++)
		(void)first_time(r, seen, mapping->keys[i], prefix);
	map_free(seen);
}

static void
join(char out[FIELD_NAME_MAX], const char *prefix, const char *name,
    const char *suffix)
{
	if (snprintf(out, FIELD_NAME_MAX, "%s%s%s", prefix, name, suffix) < 0)
		out[0] = '\0';
}

static void
read_group(struct reader *r, const struct field *row, const struct node *n,
    const char *prefix, void *to)
{
	char name[FIELD_NAME_MAX], inner[FIELD_NAME_MAX];
	struct field_given given = { 0 };

	join(name, prefix, row->name, "");
	join(inner, prefix, row->name, ".");
	if (reader_wants(r, n, NODE_MAPPING, name, "a mapping"))
		field_read(r, n, inner, row->rows, &given, to);
	field_defaults(r, inner, row->rows, &given, to);
}

static void
read_row(struct reader *r, const struct field *row, const struct node *n,
    const char *prefix, void *to)
{
	char name[FIELD_NAME_MAX];
	void *place = (char *)to + row->offset;

	join(name, prefix, row->name, "");
	switch (row->kind) {
	case FIELD_GROUP:
		read_group(r, row, n, prefix, to);
		break;
	case FIELD_NODE:
		*(const struct node **)place = n;
		break;
	case FIELD_OTHER:
		row->decode(r, n, name, place);
		break;
	default:
		field_value(r, row, n, name, place);
		break;
	}
}

void
field_read(struct reader *r, const struct node *mapping, const char *prefix,
    const struct field *rows, struct field_given *given, void *to)
{
	struct map *seen = map_new();

	for (size_t i = 0; i < mapping->count; i++) {
		struct node *key = mapping->keys[i];
		const struct field *row = find(rows, key->text);

		if (row == NULL) {
			unknown(r, key, prefix, rows);
			continue;
		}
		if (!first_time(r, seen, key, prefix))
			continue;
		given->row[row - rows] = true;
		read_row(r, row, mapping->items[i], prefix, to);
	}
	map_free(seen);
}

/* Reads a default as if it stood in the file. */
static void
read_default(
    struct reader *r, const struct field *row, const char *prefix, void *to)
{
	struct err e = { 0 };
	struct node *n =
	    document_read("default", row->dflt, strlen(row->dflt), &e);

	if (n == NULL) {
		reader_complain(r, (struct mark){ 0 }, "%s%s: %s", prefix,
		    row->name, e.text);
		return;
	}
	/* It has no place in the file; complaints about it have none either. */
	n->at = (struct mark){ 0 };
	read_row(r, row, n, prefix, to);
	document_free(n);
}

void
field_defaults(struct reader *r, const char *prefix, const struct field *rows,
    const struct field_given *given, void *to)
{
	static const struct field_given none;

	for (size_t i = 0; rows[i].name != NULL; i++) {
		if (given->row[i])
			continue;
		if (rows[i].kind == FIELD_GROUP) {
			char inner[FIELD_NAME_MAX];

			join(inner, prefix, rows[i].name, ".");
			field_defaults(r, inner, rows[i].rows, &none, to);
		} else if (rows[i].dflt != NULL) {
			read_default(r, &rows[i], prefix, to);
		}
	}
}
