/*
 * schema_text - a JSON Schema as JSON text that knows its lines: from a YAML
 * tree, or from a file of JSON or YAML.
 *
 * What the schema means is the server's business; a mistake that is found
 * there is told by an offset into the text, and is in the operator's file
 * here.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SCHEMA_TEXT_H
#define CONFIG_SCHEMA_TEXT_H

#include "config/reader.h"

struct schema_place {
	size_t offset; /* into the text */
	struct mark at;
};

struct schema_text {
	char *file; /* whose lines the places are; NULL: there is no schema */
	char *json;
	size_t len;
	struct schema_place *places; /* ascending; NULL: the file's own text */
	size_t nplaces;
};

/*
 * The tree below n as JSON. A plain scalar is a number, true, false or null
 * as JSON has them, else a string; one that YAML could read as something else
 * (yes, 0x1F, .5, 2026-01-01) is a mistake. False after a complaint.
 */
bool schema_text_from_tree(
    struct reader *r, const struct node *n, struct schema_text *out);

/*
 * The schema of a file: YAML when it is called .yaml or .yml, else JSON,
 * which is not looked into. A relative name begins where r->file lies. at and
 * name are those of the setting, for complaints. False after one.
 */
bool schema_text_from_file(struct reader *r, struct mark at, const char *name,
    const char *path, struct schema_text *out);

/* Where the value stood that this byte belongs to. */
struct mark schema_text_place(const struct schema_text *t, size_t offset);

void schema_text_clear(struct schema_text *t);

#endif
