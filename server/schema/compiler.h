/*
 * compiler - what is needed while a schema is read: for the files of this
 * folder.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_SCHEMA_COMPILER_H
#define SERVER_SCHEMA_COMPILER_H

#include "base/map.h"
#include "server/schema/inside.h"

struct compiler {
	struct schema *s;
	struct map *nodes;   /* by the place of their text */
	struct map *anchors; /* nodes by name */
	struct keyword **refs;
	size_t nrefs;
	struct node *node; /* whose keywords are read, as the next */
	const char *name;  /* of the keyword, for messages */
	const char *id;    /* the document's $id, or NULL */
	size_t id_len;
	size_t *at;
	struct err *e;
};

/* States a mistake at `where`: "minimum: ..."; returns -EINVAL. */
int compiler_fault(struct compiler *c, const struct json *where,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int compiler_no_memory(struct compiler *c);

/* The schema at this place, read when it was not. NULL: *c->e is set. */
struct node *compiler_node(struct compiler *c, const struct json *at);

/* Makes room for n parts. 0 or -ENOMEM with *c->e set. */
int compiler_parts(struct compiler *c, struct keyword *k, size_t n);

/* Notes a $ref, to be followed when all has been read. */
int compiler_later(struct compiler *c, struct keyword *k);

/* Notes the name that the node at hand has. */
int compiler_anchor(struct compiler *c, const struct json *name);

#endif
