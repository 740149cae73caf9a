/*
 * field - settings as rows: name, kind, limits, default, help.
 *
 * One row decodes a value, puts its default where none is given, and prints
 * its line of the reference. Unknown and repeated keys are mistakes: a typing
 * error should not become a default.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_FIELD_H
#define CONFIG_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/document.h"
#include "config/reader.h"

enum field_kind {
	FIELD_TEXT,     /* char *, owned by the struct, never empty */
	FIELD_INTEGER,  /* int64_t, as the next two */
	FIELD_DURATION, /* nanoseconds */
	FIELD_SIZE,     /* bytes */
	FIELD_BOOL,     /* bool; true and false, or `choices` */
	FIELD_CHOICE,   /* an enum; `choices` */
	FIELD_GROUP,    /* a mapping; `rows` into the same struct */
	FIELD_NODE,     /* const struct node *, borrowed: decoded later */
	FIELD_OTHER,    /* `decode` */
};

struct field_choice {
	const char *word; /* NULL ends the list */
	int value;
};

/* name is the whole way to the setting, "log.level": for messages. */
typedef void field_decode(
    struct reader *r, const struct node *n, const char *name, void *to);

struct field {
	const char *name; /* NULL ends the table */
	enum field_kind kind;
	size_t offset; /* into the struct being filled */
	int64_t min, max;
	const struct field_choice *choices;
	const struct field *rows;
	field_decode *decode;
	const char *dflt;     /* as the operator would write it; NULL: none */
	const char *expected; /* "an absolute path"; NULL: kind and limits */
	const char *help;
};

enum {
	FIELD_ROWS_MAX = 128,
	FIELD_NAME_MAX = 256, /* longer names are cut in messages */
	FIELD_EXPECTED_MAX = 256,
};

/* Which rows of a table a mapping gave. */
struct field_given {
	bool row[FIELD_ROWS_MAX];
};

/*
 * Decodes a mapping into the struct at `to`. prefix stands before each name
 * in messages ("log."). The rows it gives are added to *given. A value at
 * fault leaves its place as it was.
 */
void
field_read(struct reader *r, const struct node *mapping, const char *prefix,
    const struct field *rows, struct field_given *given, void *to);

/* Puts the default of every row not in `given`. */
void field_defaults(struct reader *r, const char *prefix,
    const struct field *rows, const struct field_given *given, void *to);

/* "a whole number from 1 to 10000": what a row takes. */
const char *
field_expected(const struct field *row, char out[FIELD_EXPECTED_MAX]);

/* For a mapping whose keys are names of the operator's: complains of repeats. */
void field_no_repeats(
    struct reader *r, const struct node *mapping, const char *prefix);

/* Puts an owned text into a char * field. */
void field_set_text(void *to, char *text);

#endif
