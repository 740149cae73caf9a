/*
 * expand - ${NAME} and ${NAME:-default} in a value, from the environment.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/expand.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static int
put_value(
    struct buf *out, const char *value, size_t len, enum expand_braces braces)
{
	int r = 0;

	if (braces == EXPAND_AS_IS)
		return buf_append(out, value, len);
	for (size_t i = 0; i < len && r == 0; i++) {
		r = buf_putc(out, value[i]);
		if (r == 0 && (value[i] == '{' || value[i] == '}'))
			r = buf_putc(out, value[i]);
	}
	return r;
}

static size_t
name_length(const char *text)
{
	size_t n = 0;

	if (isdigit((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

/* text stands behind "${"; *end is set behind the closing brace. */
static int
put_variable(struct buf *out, const char *text, const char **end,
    enum expand_braces braces, const char *(*lookup)(const char *name),
    struct err *e)
{
	char name[EXPAND_NAME_MAX + 1];
	size_t len = name_length(text);
	const char *close = strchr(text, '}');

	if (close == NULL)
		return err_set(e, EINVAL,
		    "${ without }, expected ${NAME} (a dollar is $$)");
	bool has_default = strncmp(text + len, ":-", 2) == 0;
	if (len == 0 || len > EXPAND_NAME_MAX ||
	    (text + len != close && !has_default))
		return err_set(e, EINVAL,
		    "not a variable's name in ${ }, expected ${NAME} or "
		    "${NAME:-default} (a dollar is $$)");
	memcpy(name, text, len);
	name[len] = '\0';
	*end = close + 1;

	const char *value = lookup(name);
	if (has_default && (value == NULL || *value == '\0')) {
		const char *dflt = text + len + 2;
		return put_value(out, dflt, (size_t)(close - dflt), braces);
	}
	if (value == NULL)
		return err_set(e, ENOENT,
		    "%s is not in the environment, expected it to be set or "
		    "${%s:-default}",
		    name, name);
	return put_value(out, value, strlen(value), braces);
}

static int
expand_into(struct buf *out, const char *text, enum expand_braces braces,
    const char *(*lookup)(const char *name), struct err *e)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "$");
		int r = buf_append(out, text, plain);

		text += plain;
		if (r == 0 && strncmp(text, "${", 2) == 0) {
			r = put_variable(
			    out, text + 2, &text, braces, lookup, e);
		} else if (r == 0 && *text == '$') {
			r = buf_putc(out, '$');
			text += text[1] == '$' ? 2 : 1;
		}
		if (r == -ENOBUFS)
			return err_set(
			    e, EINVAL, "longer than %d bytes", EXPAND_MAX);
		if (r == -ENOMEM)
			return err_set(e, ENOMEM, "not enough memory");
		if (r < 0)
			return r;
	}
	return 0;
}

char *
expand(const char *text, enum expand_braces braces,
    const char *(*lookup)(const char *name), struct err *e)
{
	struct buf *out = buf_new(EXPAND_MAX);
	char *all = NULL;

	if (out != NULL && expand_into(out, text, braces, lookup, e) < 0) {
		buf_free(out);
		return NULL;
	}
	if (out != NULL && buf_len(out) == 0)
		all = strdup("");
	else if (out != NULL)
		all = strndup(buf_front(out), buf_len(out));
	buf_free(out);
	if (all == NULL)
		err_set(e, ENOMEM, "not enough memory");
	return all;
}
