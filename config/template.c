/*
 * template - one argument with holes: "--size={args.0.size?thumb}".
 *
 * Parsing; filling is in template_fill.c.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/template.h"

#include <stdlib.h>
#include <string.h>

#include "config/template_parts.h"

static int
no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "not enough memory");
}

static struct part *
add_part(struct template *t)
{
	struct part *more =
	    reallocarray(t->parts, t->nparts + 1, sizeof *t->parts);

	if (more == NULL)
		return NULL;
	t->parts = more;
	memset(&t->parts[t->nparts], 0, sizeof *t->parts);
	return &t->parts[t->nparts++];
}

/* Text up to the next hole, doubled braces halved. */
static int
parse_literal(struct template *t, const char **at, struct err *e)
{
	const char *c = *at, *from = c;

	while (*c != '\0' && (*c != '{' || c[1] == '{')) {
		if (*c == '}' && c[1] != '}') {
			*at = c;
			return err_set(e, EINVAL,
			    "a } without {, expected }} for a brace");
		}
		c += *c == '{' || *c == '}' ? 2 : 1;
	}
	*at = c;

	char *text = malloc((size_t)(c - from) + 1);
	struct part *part = text != NULL ? add_part(t) : NULL;
	if (part == NULL) {
		free(text);
		return no_memory(e);
	}
	part->literal = text;
	while (from < c) {
		text[part->len++] = *from;
		from += *from == '{' || *from == '}' ? 2 : 1;
	}
	text[part->len] = '\0';
	return 0;
}

static int
parse_default(struct part *part, const char **at, struct err *e)
{
	size_t len = strcspn(*at, "{}");

	part->dflt = strndup(*at, len);
	if (part->dflt == NULL)
		return no_memory(e);
	*at += len;
	if (**at == '{')
		return err_set(e, EINVAL, "a brace cannot stand in a default");
	return 0;
}

/* *at stands behind the opening brace, and then behind the closing one. */
static int
parse_hole(struct template *t, const char **at, struct err *e)
{
	struct part *part = add_part(t);

	if (part == NULL)
		return no_memory(e);
	int r = path_parse(*at, &part->path, at, e);
	if (r < 0)
		return r;
	if (strncmp(*at, "...", 3) == 0) {
		t->spreads = true;
		*at += 3;
	} else if (**at == '?') {
		(*at)++;
		r = parse_default(part, at, e);
	}
	if (r < 0)
		return r;
	if (t->spreads && part->path.root != PATH_ARGS &&
	    part->path.root != PATH_CUSTOM)
		return err_set(
		    e, EINVAL, "{%s...} is never an array", part->path.text);
	if (**at == '\0')
		return err_set(e, EINVAL, "expected } here");
	if (**at != '}')
		return err_set(
		    e, EINVAL, "\"%c\" does not fit here, expected }", **at);
	(*at)++;
	return 0;
}

static int
parse_parts(struct template *t, const char **at, struct err *e)
{
	int r = 0;

	while (r == 0 && **at != '\0') {
		if (t->nparts == TEMPLATE_PARTS_MAX)
			return err_set(e, EINVAL, "more than %d pieces",
			    TEMPLATE_PARTS_MAX);
		if (**at == '{' && (*at)[1] != '{') {
			(*at)++;
			r = parse_hole(t, at, e);
		} else {
			r = parse_literal(t, at, e);
		}
	}
	if (r == 0 && t->spreads && t->nparts > 1)
		r = err_set(e, EINVAL,
		    "{%s...} must stand alone: it makes several arguments",
		    t->parts[t->parts[0].literal != NULL].path.text);
	return r;
}

/* Counted in characters, from 1, as editors do. */
static int
column_of(const char *text, const char *at)
{
	int column = 1;

	for (; text < at; text++)
		column += ((unsigned char)*text & 0xc0) != 0x80;
	return column;
}

struct template *
template_parse(const char *text, struct err *e)
{
	struct template *t = calloc(1, sizeof *t);
	const char *at = text;

	if (t == NULL) {
		no_memory(e);
		return NULL;
	}
	if (strnlen(text, TEMPLATE_ELEMENT_MAX + 1) > TEMPLATE_ELEMENT_MAX) {
		err_set(
		    e, EINVAL, "longer than %d bytes", TEMPLATE_ELEMENT_MAX);
		goto fail;
	}
	t->text = strdup(text);
	if (t->text == NULL) {
		no_memory(e);
		goto fail;
	}
	if (parse_parts(t, &at, e) < 0) {
		err_wrap(e, "column %d", column_of(text, at));
		goto fail;
	}
	return t;

fail:
	template_free(t);
	return NULL;
}

struct template *
template_literal(const char *text)
{
	struct template *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->text = strdup(text);
	struct part *part = add_part(t);
	if (part != NULL) {
		part->literal = strdup(text);
		part->len = strlen(text);
	}
	if (t->text == NULL || part == NULL || part->literal == NULL) {
		template_free(t);
		return NULL;
	}
	return t;
}

void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->nparts; i++) {
		free(t->parts[i].literal);
		free(t->parts[i].dflt);
		path_clear(&t->parts[i].path);
	}
	free(t->parts);
	free(t->text);
	free(t);
}

bool
template_is_literal(const struct template *t)
{
	return t->nparts == 0 ||
	    (t->nparts == 1 && t->parts[0].literal != NULL);
}

const char *
template_text(const struct template *t)
{
	if (t->nparts == 1 && t->parts[0].literal != NULL)
		return t->parts[0].literal;
	return t->text;
}

bool
template_spreads(const struct template *t)
{
	return t->spreads;
}

bool
part_is_data(const struct part *part)
{
	/* A jobtype is a key of the configuration, an attempt is a number. */
	return part->literal == NULL && part->path.root != PATH_JOBTYPE &&
	    part->path.root != PATH_ATTEMPT;
}

bool
template_begins_with_data(const struct template *t)
{
	return t->nparts > 0 && part_is_data(&t->parts[0]);
}
