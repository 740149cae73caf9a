/*
 * document - a YAML file as a tree that remembers line and column.
 *
 * libyaml's events build the tree from the outside in: a stack holds the
 * containers that are still open, so depth costs no C stack.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/document.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yaml.h>

struct builder {
	yaml_parser_t parser;
	const char *file;
	const char *text;
	size_t len;
	struct err *e;

	struct node *root;
	struct node *open[DOCUMENT_DEPTH_MAX]; /* borrowed from root */
	size_t depth;
	size_t nodes;
	bool seen; /* a document has begun */
};

/* Reads until the end; the size from stat(2) is only a promise. */
static char *
read_all(int fd, const char *file, size_t *len, struct err *e)
{
	size_t cap = DOCUMENT_SIZE_MAX + 1, have = 0;
	char *bytes = malloc(cap);
	ssize_t n = 1;

	if (bytes == NULL) {
		err_set(e, ENOMEM, "%s: not enough memory", file);
		return NULL;
	}
	while (have < cap && n != 0) {
		n = read(fd, bytes + have, cap - have);
		if (n < 0 && errno != EINTR) {
			err_set(e, errno, "%s: %s", file, strerror(errno));
			free(bytes);
			return NULL;
		}
		if (n > 0)
			have += (size_t)n;
	}
	if (have == cap) {
		err_set(e, EFBIG, "%s: larger than %d bytes", file,
		    DOCUMENT_SIZE_MAX);
		free(bytes);
		return NULL;
	}
	*len = have;
	return bytes;
}

char *
document_load(const char *file, size_t *len, struct err *e)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		err_set(e, errno, "%s: %s", file, strerror(errno));
		return NULL;
	}
	char *bytes = read_all(fd, file, len, e);
	close(fd);
	return bytes;
}

void
document_free(struct node *root)
{
	if (root == NULL)
		return;
	for (size_t i = 0; i < root->count; i++) {
		document_free(root->items[i]);
		if (root->keys != NULL)
			document_free(root->keys[i]);
	}
	free(root->items);
	free(root->keys);
	free(root->text);
	free(root);
}

struct node *
node_get(const struct node *mapping, const char *key)
{
	if (mapping->kind != NODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->keys[i]->text, key) == 0)
			return mapping->items[i];
	return NULL;
}

static int
refuse(struct builder *b, const yaml_mark_t *at, const char *what)
{
	return err_set(b->e, EINVAL, "%s:%zu:%zu: %s", b->file, at->line + 1,
	    at->column + 1, what);
}

/* Where a byte stands, for faults that libyaml tells by offset. */
static yaml_mark_t
mark_of(const struct builder *b, size_t offset)
{
	yaml_mark_t at = { 0 };

	for (size_t i = 0; i < offset && i < b->len; i++) {
		unsigned char c = (unsigned char)b->text[i];

		if (c == '\n') {
			at.line++;
			at.column = 0;
		} else if ((c & 0xc0) != 0x80) {
			at.column++;
		}
	}
	return at;
}

/* libyaml's own finding, in its words. */
static int
syntax_fault(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	yaml_mark_t at = p->problem_mark;
	char what[256];

	if (p->error == YAML_MEMORY_ERROR)
		return err_set(b->e, ENOMEM, "%s: not enough memory", b->file);
	if (p->error == YAML_READER_ERROR)
		at = mark_of(b, p->problem_offset);
	snprintf(what, sizeof what, "%s%s%s",
	    p->problem != NULL ? p->problem : "not YAML",
	    p->context != NULL ? ", " : "",
	    p->context != NULL ? p->context : "");
	return refuse(b, &at, what);
}

/* Makes room for one more every time the count reaches a power of two. */
static int
push(struct node ***list, size_t count, struct node *n)
{
	if ((count & (count - 1)) == 0) {
		size_t cap = count == 0 ? 1 : count * 2;
		struct node **more =
		    reallocarray(*list, cap, sizeof(struct node *));

		if (more == NULL)
			return -ENOMEM;
		*list = more;
	}
	(*list)[count] = n;
	return 0;
}

/* Whether the innermost container is a mapping that waits for a key. */
static bool
key_is_next(const struct builder *b)
{
	const struct node *in = b->depth > 0 ? b->open[b->depth - 1] : NULL;

	return in != NULL && in->kind == NODE_MAPPING &&
	    (in->count == 0 || in->items[in->count - 1] != NULL);
}

/*
 * Hangs a node into the tree; it is freed on failure. A key is hung together
 * with an empty place for its value, so that the tree can always be freed.
 */
static int
hang(struct builder *b, struct node *n, const yaml_mark_t *at)
{
	struct node *in = b->depth > 0 ? b->open[b->depth - 1] : NULL;

	if (in == NULL) {
		b->root = n;
		return 0;
	}
	if (key_is_next(b)) {
		if (n->kind != NODE_SCALAR) {
			document_free(n);
			return refuse(
			    b, at, "a list or mapping cannot be a key");
		}
		if (push(&in->keys, in->count, n) < 0 ||
		    push(&in->items, in->count, NULL) < 0)
			goto no_memory;
		in->count++;
		return 0;
	}
	if (in->kind == NODE_MAPPING) {
		in->items[in->count - 1] = n;
		return 0;
	}
	if (push(&in->items, in->count, n) < 0)
		goto no_memory;
	in->count++;
	return 0;

no_memory:
	document_free(n);
	return err_set(b->e, ENOMEM, "%s: not enough memory", b->file);
}

static int
check_plain(struct builder *b, const yaml_event_t *ev,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return refuse(b, &ev->start_mark,
		    "anchors (&name) are not understood here");
	if (tag != NULL)
		return refuse(
		    b, &ev->start_mark, "tags (!name) are not understood here");
	if (++b->nodes > DOCUMENT_NODES_MAX)
		return refuse(b, &ev->start_mark, "too many values");
	return 0;
}

static struct node *
node_new(struct builder *b, enum node_kind kind, const yaml_event_t *ev)
{
	struct node *n = calloc(1, sizeof *n);

	if (n == NULL) {
		err_set(b->e, ENOMEM, "%s: not enough memory", b->file);
		return NULL;
	}
	n->kind = kind;
	n->at.line = ev->start_mark.line + 1;
	n->at.column = ev->start_mark.column + 1;
	return n;
}

static int
scalar(struct builder *b, const yaml_event_t *ev)
{
	const char *value = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;

	if (check_plain(b, ev, ev->data.scalar.anchor, ev->data.scalar.tag) < 0)
		return -EINVAL;
	if (memchr(value, '\0', len) != NULL)
		return refuse(b, &ev->start_mark, "a NUL byte cannot be used");

	struct node *n = node_new(b, NODE_SCALAR, ev);
	if (n == NULL)
		return -ENOMEM;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = strdup(value);
	if (n->text == NULL) {
		document_free(n);
		return err_set(b->e, ENOMEM, "%s: not enough memory", b->file);
	}
	return hang(b, n, &ev->start_mark);
}

static int
container(struct builder *b, const yaml_event_t *ev, enum node_kind kind,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (check_plain(b, ev, anchor, tag) < 0)
		return -EINVAL;
	if (b->depth == DOCUMENT_DEPTH_MAX)
		return refuse(b, &ev->start_mark, "nested too deeply");

	struct node *n = node_new(b, kind, ev);
	if (n == NULL)
		return -ENOMEM;
	int r = hang(b, n, &ev->start_mark);
	if (r == 0)
		b->open[b->depth++] = n;
	return r;
}

static int
take(struct builder *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->seen)
			return refuse(b, &ev->start_mark,
			    "a second document; one file holds one");
		b->seen = true;
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse(b, &ev->start_mark,
		    "aliases (*name) are not understood here");
	case YAML_SCALAR_EVENT:
		return scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return container(b, ev, NODE_LIST,
		    ev->data.sequence_start.anchor,
		    ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return container(b, ev, NODE_MAPPING,
		    ev->data.mapping_start.anchor, ev->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

static int
build(struct builder *b)
{
	for (;;) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&b->parser, &ev))
			return syntax_fault(b);
		bool last = ev.type == YAML_STREAM_END_EVENT;
		int r = take(b, &ev);
		yaml_event_delete(&ev);
		if (r < 0 || last)
			return r;
	}
}

/* An empty file, and one that only says "---": nothing is set. */
static int
settle_root(struct builder *b)
{
	struct node *root = b->root;

	if (root != NULL &&
	    (root->kind != NODE_SCALAR || root->quoted ||
		root->text[0] != '\0'))
		return 0;
	document_free(root);
	b->root = calloc(1, sizeof *b->root);
	if (b->root == NULL)
		return err_set(b->e, ENOMEM, "%s: not enough memory", b->file);
	b->root->kind = NODE_MAPPING;
	b->root->at = (struct mark){ .line = 1, .column = 1 };
	return 0;
}

struct node *
document_read(const char *file, const char *text, size_t len, struct err *e)
{
	struct builder b = { .file = file, .text = text, .len = len, .e = e };

	if (len > DOCUMENT_SIZE_MAX) {
		err_set(e, EFBIG, "%s: larger than %d bytes", file,
		    DOCUMENT_SIZE_MAX);
		return NULL;
	}
	if (!yaml_parser_initialize(&b.parser)) {
		err_set(e, ENOMEM, "%s: not enough memory", file);
		return NULL;
	}
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &b.parser, (const unsigned char *)text, len);

	int r = build(&b);
	if (r == 0)
		r = settle_root(&b);
	yaml_parser_delete(&b.parser);
	if (r < 0) {
		document_free(b.root);
		return NULL;
	}
	return b.root;
}
