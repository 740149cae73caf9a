/*
 * schema - a JSON Schema (draft 2020-12, a stated part) that values are held
 * against.
 *
 * The keywords are those of keywords.c, and docs/server.md tells them; any
 * other is a mistake, never passed over. References stay within the document.
 * Numbers are compared by their digits, lengths counted in characters.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SCHEMA_SCHEMA_H
#define SERVER_SCHEMA_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "server/schema/pointer.h"

enum {
	SCHEMA_TEXT_MAX = 1024 * 1024,
	SCHEMA_NODES_MAX = 10000, /* schemas within one document */
	SCHEMA_DEPTH_MAX = 256,   /* of schemas within schemas, as applied */
	SCHEMA_SHOWN_MAX = 200,
};

struct schema;

/*
 * Reads a schema from JSON text, which is copied. NULL with *e set: EINVAL or
 * ENOMEM; *at is the byte of text at fault then.
 */
struct schema *
schema_new(const char *text, size_t len, size_t *at, struct err *e);
void schema_free(struct schema *s); /* accepts NULL */

/* What does not fit, where, and which part of the schema says so. */
struct schema_fault {
	char at[POINTER_SHOWN_MAX];    /* JSON Pointer into the value */
	char place[POINTER_SHOWN_MAX]; /* and into the schema */
	char text[SCHEMA_SHOWN_MAX];   /* "3 stands here, expected ..." */
};

/*
 * Holds a value (checked JSON) against a schema. Returns 0 when it fits;
 * -EINVAL when not, with *fault filled by the first fault found; -E2BIG when
 * finding out would take more than *left steps, or goes too deep; -ENOMEM.
 * The steps used are taken from *left: one is a keyword applied to a value,
 * measured to take 20 to 120 ns.
 */
int schema_judge(struct schema *s, const struct json *value, uint64_t *left,
    struct schema_fault *fault);

#endif
