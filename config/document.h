/*
 * document - a YAML file as a tree that remembers line and column.
 *
 * One document a file, at most DOCUMENT_DEPTH_MAX levels, DOCUMENT_NODES_MAX
 * values and DOCUMENT_SIZE_MAX bytes; anchors, aliases and tags are refused.
 * libyaml lives here and nowhere else.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	DOCUMENT_DEPTH_MAX = 32,
	DOCUMENT_NODES_MAX = 100000,
	DOCUMENT_SIZE_MAX = 4 * 1024 * 1024,
};

/* Where a value stood; 1-based as editors show it. 0: not from a file. */
struct mark {
	size_t line;
	size_t column;
	unsigned file; /* of several that make one tree: config/sources.h */
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAPPING };

struct node {
	enum node_kind kind;
	struct mark at;
	char *text;          /* NODE_SCALAR: NUL-terminated, no NUL inside */
	bool quoted;         /* NODE_SCALAR: in quotes or a block */
	struct node **items; /* NODE_LIST: elements; NODE_MAPPING: values */
	struct node **keys;  /* NODE_MAPPING: scalars */
	size_t count;
};

/*
 * The bytes of a file that is not a directory, at most DOCUMENT_SIZE_MAX.
 * Owned: free(). NULL with *e set: "file: reason", e->code an errno.
 */
char *document_load(const char *file, size_t *len, struct err *e);

/*
 * Returns the root, to be freed with document_free(), which accepts NULL;
 * NULL with *e set: "file:line:column: what is wrong". An empty file is an
 * empty mapping. Keys that stand twice are both kept.
 */
struct node *
document_read(const char *file, const char *text, size_t len, struct err *e);
void document_free(struct node *root);

/* The value of a key of a mapping; NULL when absent or no mapping. Borrowed. */
struct node *node_get(const struct node *mapping, const char *key);

#endif
