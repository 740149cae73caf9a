/*
 * patterns - compiled once at load, applied one after the other.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/patterns.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/field.h"

/* One text may grow by its replacements, but not without end. */
enum { TEXT_MAX = 1024 * 1024 };

struct patterns {
	regex_t compiled[PATTERNS_MAX];
	char *texts[PATTERNS_MAX]; /* as written; owned */
	size_t count;
};

static void
add(struct reader *r, struct patterns *p, const struct node *n,
    const char *name)
{
	const char *expected = "a POSIX extended regular expression";
	char quoted[READER_QUOTED_MAX], why[128];
	char *text = reader_text(r, n, name, expected);

	if (text == NULL)
		return;
	size_t len = strlen(text);
	if (len == 0 || len > PATTERN_LEN_MAX) {
		reader_complain(r, n->at,
		    "%s: %s, expected a pattern of 1 to %d bytes", name,
		    len == 0 ? "empty" : "too long", PATTERN_LEN_MAX);
		free(text);
		return;
	}
	regex_t *to = &p->compiled[p->count];
	int result = regcomp(to, text, REG_EXTENDED);
	if (result == 0) {
		p->texts[p->count++] = text; /* taken */
		text = NULL;
	} else {
		regerror(result, to, why, sizeof why);
		reader_complain(r, n->at, "%s: %s: %s, expected %s", name,
		    reader_quote(text, quoted), why, expected);
	}
	free(text);
}

void
patterns_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct patterns **place = to;

	patterns_free(*place);
	*place = NULL;
	if (!reader_wants(r, n, NODE_LIST, name, "a list of patterns"))
		return;
	if (n->count > PATTERNS_MAX) {
		reader_complain(r, n->at,
		    "%s: %zu patterns, expected at most %d", name, n->count,
		    PATTERNS_MAX);
		return;
	}
	struct patterns *p = calloc(1, sizeof *p);
	if (p == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++)
		add(r, p, n->items[i], name);
	*place = p;
}

void
patterns_free(struct patterns *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++) {
		regfree(&p->compiled[i]);
		free(p->texts[i]);
	}
	free(p);
}

size_t
patterns_count(const struct patterns *p)
{
	return p != NULL ? p->count : 0;
}

const char *
patterns_text(const struct patterns *p, size_t i)
{
	return p->texts[i];
}

/* Appends text to out without what the pattern matches. 0 or as buf_append(). */
static int
redact_one(const regex_t *re, const char *text, struct buf *out)
{
	regmatch_t at[2];
	int flags = 0, r = 0;

	while (
	    r == 0 && *text != '\0' && regexec(re, text, 2, at, flags) == 0) {
		const regmatch_t *gone =
		    re->re_nsub > 0 && at[1].rm_so >= 0 ? &at[1] : &at[0];
		size_t from = (size_t)gone->rm_so, to = (size_t)gone->rm_eo;
		size_t end = (size_t)at[0].rm_eo;

		r = buf_append(out, text, from);
		if (r == 0 && to > from)
			r = buf_puts(out, PATTERNS_REDACTED);
		if (r == 0)
			r = buf_append(out, text + to, end - to);
		/* A match of nothing must not be found at this place again. */
		if (r == 0 && end == 0 && text[end] != '\0')
			r = buf_putc(out, text[end++]);
		text += end;
		flags = REG_NOTBOL;
	}
	return r == 0 ? buf_puts(out, text) : r;
}

static char *
as_text(const struct buf *b)
{
	return strndup(buf_front(b), buf_len(b));
}

char *
patterns_redact(const struct patterns *p, const char *text)
{
	char *now = strdup(text);

	for (size_t i = 0; p != NULL && now != NULL && i < p->count; i++) {
		struct buf *out = buf_new(TEXT_MAX);
		char *next = NULL;

		if (out != NULL && redact_one(&p->compiled[i], now, out) == 0)
			next = as_text(out);
		buf_free(out);
		free(now);
		now = next;
	}
	return now;
}
