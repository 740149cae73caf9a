/*
 * template_fill - a template and a job's data make strings.
 *
 * Messages name the hole and the reason, never the value: they go to the
 * server, and a value may be a secret.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "config/template.h"
#include "config/template_parts.h"

struct filling {
	const struct template_data *data;
	bool any_bytes;
	struct buf *out;
	bool from_data;
	struct err *e;
};

static const char *
kind_name(enum json_kind kind)
{
	switch (kind) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_NUMBER:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	case JSON_NULL:
		return "null";
	case JSON_NONE:
	default:
		return "missing";
	}
}

static int
bad(const struct filling *f, const struct path *path, const char *what)
{
	return err_set(f->e, EINVAL, "{%s} %s", path->text, what);
}

/* What a function of base/buf answered, told to a person. */
static int
outcome(const struct filling *f, const struct path *path, int r)
{
	if (r == -ENOBUFS)
		return err_set(f->e, EINVAL,
		    "{%s} makes it longer than %d bytes", path->text,
		    TEMPLATE_ELEMENT_MAX);
	if (r == -ENOMEM)
		return err_set(f->e, ENOMEM, "not enough memory");
	return r;
}

/* Bytes that came from the job, once they are in the buffer. */
static int
check_bytes(const struct filling *f, const struct path *path, const char *bytes,
    size_t len)
{
	if (memchr(bytes, '\0', len) != NULL)
		return bad(f, path, "holds a NUL byte");
	if (!f->any_bytes && !json_utf8_valid(bytes, len))
		return bad(f, path, "is not UTF-8");
	return 0;
}

static int
put_string(
    struct filling *f, const struct path *path, const struct json *string)
{
	size_t room;
	char *to = buf_room(f->out, string->len, &room);

	if (to == NULL && string->len == 2)
		return 0; /* an empty string fits into a full buffer */
	if (to == NULL)
		return outcome(f, path,
		    buf_len(f->out) == TEMPLATE_ELEMENT_MAX ? -ENOBUFS
							    : -ENOMEM);
	ssize_t len = json_decode_string(string, to, room);
	if (len < 0)
		return outcome(f, path, (int)len);
	int r = check_bytes(f, path, to, (size_t)len);
	if (r == 0)
		buf_filled(f->out, (size_t)len);
	return r;
}

static int
put_json(struct filling *f, const struct path *path, const struct json *value)
{
	switch (value->kind) {
	case JSON_STRING:
		return put_string(f, path, value);
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
		return outcome(
		    f, path, buf_append(f->out, value->text, value->len));
	case JSON_OBJECT:
	case JSON_ARRAY:
		return outcome(f, path, json_put_compact(f->out, value));
	case JSON_NULL:
		return bad(f, path, "is null");
	case JSON_NONE:
	default:
		return bad(f, path, "is missing");
	}
}

static int
put_text(struct filling *f, const struct path *path, const char *text)
{
	if (text == NULL)
		return bad(f, path, "is missing");
	int r = check_bytes(f, path, text, strlen(text));
	return r < 0 ? r : outcome(f, path, buf_puts(f->out, text));
}

static int
put_hole(struct filling *f, const struct part *part)
{
	const struct template_data *d = f->data;
	const struct path *path = &part->path;
	bool first = buf_len(f->out) == 0 && part_is_data(part);
	struct json value;

	switch (path->root) {
	case PATH_JID:
		f->from_data = f->from_data || first;
		return put_text(f, path, d->jid);
	case PATH_JOBTYPE:
		return put_text(f, path, d->jobtype);
	case PATH_QUEUE:
		f->from_data = f->from_data || first;
		return put_text(f, path, d->queue);
	case PATH_ATTEMPT:
		return outcome(f, path, buf_printf(f->out, "%ld", d->attempt));
	case PATH_CUSTOM:
		value = path_find(path, &d->custom);
		break;
	case PATH_ARGS:
	default:
		value = path_find(path, &d->args);
		break;
	}
	if (part->dflt != NULL &&
	    (value.kind == JSON_NONE || value.kind == JSON_NULL))
		return outcome(f, path, buf_puts(f->out, part->dflt));
	f->from_data = f->from_data || first;
	return put_json(f, path, &value);
}

static int
fill_one(struct filling *f, const struct template *t)
{
	int r = 0;

	for (size_t i = 0; i < t->nparts && r == 0; i++) {
		const struct part *part = &t->parts[i];

		if (part->literal == NULL) {
			r = put_hole(f, part);
			continue;
		}
		r = buf_append(f->out, part->literal, part->len);
		if (r == -ENOBUFS)
			r = err_set(f->e, EINVAL, "longer than %d bytes",
			    TEMPLATE_ELEMENT_MAX);
		else if (r == -ENOMEM)
			r = err_set(f->e, ENOMEM, "not enough memory");
	}
	return r;
}

static int
fill_spread(
    struct filling *f, const struct template *t, template_emit *emit, void *ctx)
{
	const struct path *path = &t->parts[0].path;
	const struct json *from = path->root == PATH_CUSTOM ? &f->data->custom
	    : path->root == PATH_ARGS                       ? &f->data->args
				      : &(struct json){ 0 };
	struct json array = path_find(path, from), element;
	size_t i = 0;

	if (array.kind == JSON_NONE || array.kind == JSON_NULL)
		return err_set(f->e, EINVAL, "{%s...} is %s", path->text,
		    kind_name(array.kind));
	if (array.kind != JSON_ARRAY)
		return err_set(f->e, EINVAL, "{%s...} is %s, expected an array",
		    path->text, kind_name(array.kind));
	for (struct json_walk w = json_walk(&array);
	     json_next_element(&w, &element); i++) {
		if (element.kind == JSON_OBJECT || element.kind == JSON_ARRAY ||
		    element.kind == JSON_NULL)
			return err_set(f->e, EINVAL,
			    "{%s...} has %s as element %zu, expected scalars",
			    path->text, kind_name(element.kind), i);
		buf_clear(f->out);
		int r = put_json(f, path, &element);
		if (r == 0)
			r = emit(ctx, buf_front(f->out), buf_len(f->out), true);
		if (r < 0)
			return r;
	}
	return 0;
}

int
template_fill(const struct template *t, const struct template_data *data,
    bool any_bytes, template_emit *emit, void *ctx, struct err *e)
{
	struct filling f = { .data = data, .any_bytes = any_bytes, .e = e };

	if (template_is_literal(t))
		return emit(
		    ctx, template_text(t), strlen(template_text(t)), false);
	f.out = buf_new(TEMPLATE_ELEMENT_MAX);
	if (f.out == NULL)
		return err_set(e, ENOMEM, "not enough memory");
	int r;
	if (t->spreads) {
		r = fill_spread(&f, t, emit, ctx);
	} else {
		r = fill_one(&f, t);
		if (r == 0)
			r = emit(
			    ctx, buf_front(f.out), buf_len(f.out), f.from_data);
	}
	buf_free(f.out);
	return r;
}
