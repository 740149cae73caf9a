/*
 * field_value - what one value says, by its row.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/field_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/units.h"

/* The words for one kind of number. */
struct measure {
	int (*read)(const char *text, int64_t *value);
	void (*show)(int64_t value, char out[UNITS_SHOWN_MAX]);
	const char *noun;
	const char *less;
	const char *more;
};

static void
show_integer(int64_t value, char out[UNITS_SHOWN_MAX])
{
	snprintf(out, UNITS_SHOWN_MAX, "%" PRId64, value);
}

static const struct measure measures[] = {
	[FIELD_INTEGER] = { units_integer, show_integer, "a whole number",
	    "too small", "too large" },
	[FIELD_DURATION] = { units_duration, units_show_duration, "a duration",
	    "too short", "too long" },
	[FIELD_SIZE] = { units_size, units_show_size, "a size", "too small",
	    "too large" },
};

static const struct field_choice booleans[] = {
	{ "true", 1 },
	{ "false", 0 },
	{ NULL, 0 },
};

static const struct field_choice *
choices_of(const struct field *row)
{
	return row->choices != NULL ? row->choices : booleans;
}

/* "error, warning, info or debug" */
static void
list_choices(const struct field_choice *c, char out[FIELD_EXPECTED_MAX])
{
	size_t at = 0;

	for (size_t i = 0; c[i].word != NULL; i++) {
		const char *sep = i == 0    ? ""
		    : c[i + 1].word != NULL ? ", "
					    : " or ";
		int n = snprintf(
		    out + at, FIELD_EXPECTED_MAX - at, "%s%s", sep, c[i].word);

		if (n < 0 || (size_t)n >= FIELD_EXPECTED_MAX - at)
			return;
		at += (size_t)n;
	}
}

static void
range_of(const struct field *row, char out[FIELD_EXPECTED_MAX])
{
	char min[UNITS_SHOWN_MAX], max[UNITS_SHOWN_MAX];

	measures[row->kind].show(row->min, min);
	measures[row->kind].show(row->max, max);
	snprintf(out, FIELD_EXPECTED_MAX, "%s to %s", min, max);
}

const char *
field_expected(const struct field *row, char out[FIELD_EXPECTED_MAX])
{
	char range[FIELD_EXPECTED_MAX];

	if (row->expected != NULL)
		return row->expected;
	switch (row->kind) {
	case FIELD_INTEGER:
	case FIELD_DURATION:
	case FIELD_SIZE:
		range_of(row, range);
		snprintf(out, FIELD_EXPECTED_MAX, "%s from %.100s",
		    measures[row->kind].noun, range);
		return out;
	case FIELD_BOOL:
	case FIELD_CHOICE:
		list_choices(choices_of(row), out);
		return out;
	case FIELD_GROUP:
		return "a mapping";
	default:
		return "text";
	}
}

static void
read_number(struct reader *r, const struct field *row, struct mark at,
    const char *name, const char *text, int64_t *place)
{
	const struct measure *m = &measures[row->kind];
	char range[FIELD_EXPECTED_MAX], quoted[READER_QUOTED_MAX];
	int64_t value = 0;
	int result = m->read(text, &value);

	range_of(row, range);
	reader_quote(text, quoted);
	if (result == -EDOM)
		reader_complain(r, at,
		    "%s: %s has no unit, expected %s such as 90s or 5m", name,
		    quoted, range);
	else if (result == -EINVAL)
		reader_complain(r, at, "%s: %s is not %s, expected %s", name,
		    quoted, m->noun, range);
	else if (result == -ERANGE || value > row->max)
		reader_complain(r, at, "%s: %s is %s, expected %s", name,
		    text[0] == '-' ? "this" : text,
		    text[0] == '-' ? m->less : m->more, range);
	else if (value < row->min)
		reader_complain(r, at, "%s: %s is %s, expected %s", name, text,
		    m->less, range);
	else
		*place = value;
}

/* -1 when the word is not among them. */
static int
read_choice(struct reader *r, const struct field *row, struct mark at,
    const char *name, const char *text)
{
	char quoted[READER_QUOTED_MAX], words[FIELD_EXPECTED_MAX];
	const struct field_choice *c = choices_of(row);

	for (; c->word != NULL; c++)
		if (strcmp(c->word, text) == 0)
			return c->value;
	list_choices(choices_of(row), words);
	reader_complain(r, at, "%s: %s is not known, expected %s", name,
	    reader_quote(text, quoted), words);
	return -1;
}

void
field_set_text(void *to, char *text)
{
	char **place = to;

	free(*place);
	*place = text;
}

static void
read_text(struct reader *r, const struct field *row, const struct node *n,
    const char *name, const char *text, void *place)
{
	char expected[FIELD_EXPECTED_MAX];

	if (*text == '\0') {
		reader_complain(r, n->at, "%s: empty, expected %s", name,
		    field_expected(row, expected));
		return;
	}
	char *copy = strdup(text);
	if (copy == NULL)
		reader_no_memory(r);
	else
		field_set_text(place, copy);
}

void
field_value(struct reader *r, const struct field *row, const struct node *n,
    const char *name, void *place)
{
	char expected[FIELD_EXPECTED_MAX];
	char *text = reader_text(r, n, name, field_expected(row, expected));
	int choice;

	if (text == NULL)
		return;
	switch (row->kind) {
	case FIELD_INTEGER:
	case FIELD_DURATION:
	case FIELD_SIZE:
		read_number(r, row, n->at, name, text, place);
		break;
	case FIELD_BOOL:
		choice = read_choice(r, row, n->at, name, text);
		if (choice >= 0)
			*(bool *)place = choice != 0;
		break;
	case FIELD_CHOICE:
		choice = read_choice(r, row, n->at, name, text);
		if (choice >= 0)
			*(int *)place = choice;
		break;
	default:
		read_text(r, row, n, name, text, place);
		break;
	}
	free(text);
}
