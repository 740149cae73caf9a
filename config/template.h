/*
 * template - one argument with holes: "--size={args.0.size?thumb}".
 *
 * Parsed once when the configuration is loaded, filled in once per job. One
 * template gives exactly one string whatever the data; only a template that
 * is nothing but "{path...}" may give several. docs/handlers.md, "Arguments".
 *
 *	{path}            dots and indexes into args, custom, jid, jobtype,
 *	                  queue, attempt; {args.0["a.b"]} for odd keys
 *	{path?default}    what stands there when it is missing or null; no braces
 *	{path...}         alone in its template: each element of an array
 *	{{ and }}         a brace
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* Linux takes no longer string in argv or in the environment. */
enum { TEMPLATE_ELEMENT_MAX = 128 * 1024 - 1 };

struct template;

/*
 * Returns NULL with *e set: what is wrong and where in the text, "column 8:
 * ...". Free with template_free(), which accepts NULL.
 */
struct template *template_parse(const char *text, struct err *e);

/* The text as it is, braces and all. NULL when memory is short. */
struct template *template_literal(const char *text);

void template_free(struct template *t);

/* Whether it has no holes; then template_text() is its whole value. */
bool template_is_literal(const struct template *t);

/*
 * What a literal stands for ("{{" is one brace there); any other template as
 * it was written. Borrowed.
 */
const char *template_text(const struct template *t);

/* Whether it is a lone {path...}. */
bool template_spreads(const struct template *t);

/* Whether a value from a job can be the first thing in an element. */
bool template_begins_with_data(const struct template *t);

/* What the holes are filled from. Kind JSON_NONE: absent. */
struct template_data {
	struct json args;
	struct json custom;
	const char *jid; /* NUL-terminated text, these three */
	const char *jobtype;
	const char *queue;
	long attempt;
};

/*
 * Called once for each resulting string; bytes are borrowed and have no NUL
 * inside. from_data says that a value from the job stands before anything
 * else, even an empty one: what follows it is then not where it seems to be.
 * A negative answer ends template_fill(), which returns it.
 */
typedef int
template_emit(void *ctx, const char *bytes, size_t len, bool from_data);

/*
 * Fills the holes. any_bytes: values need not be valid UTF-8.
 * Returns 0; -EINVAL with *e set for data that does not fit (missing, null,
 * a NUL byte, not UTF-8, over TEMPLATE_ELEMENT_MAX, a spread over something
 * else than an array of scalars): the place and the reason, never the value; -ENOMEM.
 */
int template_fill(const struct template *t, const struct template_data *data,
    bool any_bytes, template_emit *emit, void *ctx, struct err *e);

#endif
