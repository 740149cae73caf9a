/*
 * reader - what everyone who decodes a file needs: its name, the environment
 * and the list of mistakes.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mistake {
	struct mark at;
	size_t order; /* of two at the same place the first noted comes first */
	char *text;   /* owned; NULL: there was no memory for it */
	bool placed;  /* text begins with its place */
};

/* Names in the file may hold anything; a message is one line. */
static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* NULL: it is counted, and reader_finish() tells that some are missing. */
static struct mistake *
next_mistake(struct reader *r, struct mark at)
{
	if (r->muted)
		return NULL;
	r->count++;
	if (r->kept == READER_MISTAKES_MAX)
		return NULL;
	struct mistake *more =
	    reallocarray(r->mistakes, r->kept + 1, sizeof *r->mistakes);
	if (more == NULL)
		return NULL;
	r->mistakes = more;

	struct mistake *m = &r->mistakes[r->kept];
	*m = (struct mistake){ .at = at, .order = r->kept };
	r->kept++;
	return m;
}

void
reader_complain(struct reader *r, struct mark at, const char *fmt, ...)
{
	struct mistake *m = next_mistake(r, at);
	va_list args;

	if (m == NULL)
		return;
	va_start(args, fmt);
	if (vasprintf(&m->text, fmt, args) < 0)
		m->text = NULL;
	va_end(args);
	if (m->text != NULL)
		make_printable(m->text);
}

void
reader_note(struct reader *r, unsigned file, const char *text)
{
	struct mistake *m = next_mistake(r, (struct mark){ .file = file });

	if (m == NULL)
		return;
	m->text = strdup(text);
	m->placed = m->text != NULL;
	if (m->text != NULL)
		make_printable(m->text);
}

const char *
reader_file(const struct reader *r, struct mark at)
{
	return r->files != NULL ? r->files[at.file] : r->file;
}

void
reader_no_memory(struct reader *r)
{
	reader_complain(r, (struct mark){ 0 }, "not enough memory");
}

const char *
reader_quote(const char *text, char out[READER_QUOTED_MAX])
{
	size_t max = READER_QUOTED_MAX - 8, len = strnlen(text, max + 1);
	const char *more = len > max ? "..." : "";

	/* Half a character is left out; what is no UTF-8 at all is cut hard. */
	if (len > max)
		for (len = max; len > max - 4; len--)
			if (((unsigned char)text[len] & 0xc0) != 0x80)
				break;
	snprintf(out, READER_QUOTED_MAX, "\"%.*s\"%s", (int)len, text, more);
	return out;
}

static bool
says_nothing(const struct node *n)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (n->kind != NODE_SCALAR || n->quoted)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(n->text, words[i]) == 0)
			return true;
	return false;
}

bool
reader_wants(struct reader *r, const struct node *n, enum node_kind kind,
    const char *name, const char *expected)
{
	static const char *const kinds[] = {
		[NODE_SCALAR] = "a single value",
		[NODE_LIST] = "a list",
		[NODE_MAPPING] = "a mapping",
	};

	if (says_nothing(n))
		reader_complain(r, n->at,
		    "%s: nothing stands here, expected %s", name, expected);
	else if (n->kind != kind)
		reader_complain(r, n->at, "%s: %s stands here, expected %s",
		    name, kinds[n->kind], expected);
	else
		return true;
	return false;
}

static char *
expanded(struct reader *r, const struct node *n, enum expand_braces braces,
    const char *name, const char *expected)
{
	struct err e = { 0 };

	if (!reader_wants(r, n, NODE_SCALAR, name, expected))
		return NULL;
	char *text = expand(n->text, braces, r->lookup, &e);
	if (text == NULL)
		reader_complain(r, n->at, "%s: %s", name, e.text);
	return text;
}

char *
reader_text(struct reader *r, const struct node *n, const char *name,
    const char *expected)
{
	return expanded(r, n, EXPAND_AS_IS, name, expected);
}

char *
reader_template_text(struct reader *r, const struct node *n, const char *name,
    const char *expected)
{
	return expanded(r, n, EXPAND_DOUBLED, name, expected);
}

static int
in_file_order(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->at.file != y->at.file)
		return x->at.file < y->at.file ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.column != y->at.column)
		return x->at.column < y->at.column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void
tell_one(const struct reader *r, const struct mistake *m,
    void (*tell)(void *ctx, const char *message), void *ctx)
{
	const char *text = m->text != NULL ? m->text : "not enough memory";
	const char *file = reader_file(r, m->at);
	char *line;
	int n;

	if (m->placed)
		n = asprintf(&line, "%s", text);
	else if (m->at.line == 0)
		n = asprintf(&line, "%s: %s", file, text);
	else
		n = asprintf(&line, "%s:%zu:%zu: %s", file, m->at.line,
		    m->at.column, text);
	tell(ctx, n < 0 ? "not enough memory" : line);
	if (n >= 0)
		free(line);
}

size_t
reader_finish(
    struct reader *r, void (*tell)(void *ctx, const char *message), void *ctx)
{
	size_t count = r->count;

	if (r->kept > 0)
		qsort(r->mistakes, r->kept, sizeof *r->mistakes, in_file_order);
	for (size_t i = 0; i < r->kept; i++) {
		if (tell != NULL)
			tell_one(r, &r->mistakes[i], tell, ctx);
		free(r->mistakes[i].text);
	}
	if (tell != NULL && count > r->kept) {
		char text[64];
		snprintf(
		    text, sizeof text, "%zu more mistakes", count - r->kept);
		tell_one(r, &(struct mistake){ .text = text }, tell, ctx);
	}
	free(r->mistakes);
	r->mistakes = NULL;
	r->kept = 0;
	r->count = 0;
	return count;
}
