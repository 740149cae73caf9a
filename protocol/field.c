/*
 * field - members of a payload, found and read the way Faktory does.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

static bool
same_letters(const char *bytes, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if (c != name[i])
			return false;
	}
	return true;
}

bool
field_is(const struct json *key, const char *name)
{
	char decoded[NAME_MAX_BYTES];
	const char *bytes;
	size_t len;

	if (!json_plain_string(key, &bytes, &len)) {
		ssize_t n = json_decode_string(key, decoded, sizeof decoded);

		if (n < 0)
			return false;
		bytes = decoded;
		len = (size_t)n;
	}
	return len == strlen(name) && same_letters(bytes, name, len);
}

struct json
field_get(const struct json *object, const char *name)
{
	struct json key, value, found = { .kind = JSON_NONE };
	struct json_walk w = json_walk(object);

	if (object->kind != JSON_OBJECT)
		return found;
	while (json_next_member(&w, &key, &value))
		if (field_is(&key, name))
			found = value;
	if (found.kind == JSON_NULL)
		found.kind = JSON_NONE;
	return found;
}

int
field_int(const struct json *value, int64_t *out)
{
	*out = 0;
	return value->kind == JSON_NONE ? 0 : json_int(value, out);
}

int
field_string(const struct json *value, size_t max, char **out, size_t *len)
{
	*out = NULL;
	if (len != NULL)
		*len = 0;
	if (value->kind == JSON_NONE)
		return 0;
	if (value->kind != JSON_STRING)
		return -EINVAL;

	/* A character of one byte may be written as six. */
	if (value->len > max && value->len / 6 > max)
		return -ERANGE;
	char *text = malloc(value->len);
	if (text == NULL)
		return -ENOMEM;
	ssize_t n = json_decode_string(value, text, value->len - 1);
	if (n < 0 || (size_t)n > max) {
		free(text);
		return n < 0 ? (int)n : -ERANGE;
	}
	text[n] = '\0';
	*out = text;
	if (len != NULL)
		*len = (size_t)n;
	return 0;
}

int
field_text(const struct json *value, size_t max, char **out)
{
	size_t len;

	int r = field_string(value, max, out, &len);
	if (r == 0 && *out != NULL && strlen(*out) != len) {
		free(*out);
		*out = NULL;
		return -EINVAL;
	}
	return r;
}

int
field_put_text(struct buf *out, const char *name, const char *text)
{
	int r = buf_putc(out, '"');

	if (r == 0)
		r = buf_puts(out, name);
	if (r == 0)
		r = buf_puts(out, "\":");
	if (r == 0)
		r = json_put_string(out, text, strlen(text));
	return r < 0 ? r : buf_putc(out, ',');
}

int
field_put_int(struct buf *out, const char *name, int64_t value)
{
	return buf_printf(out, "\"%s\":%" PRId64 ",", name, value);
}

int
field_put_list(
    struct buf *out, const char *name, const char *const *lines, size_t n)
{
	int r = buf_printf(out, "\"%s\":[", name);

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (i > 0)
			r = buf_putc(out, ',');
		if (r == 0)
			r = json_put_string(out, lines[i], strlen(lines[i]));
	}
	return r < 0 ? r : buf_puts(out, "],");
}

int
field_put_end(struct buf *out)
{
	buf_cut(out, buf_len(out) - 1);
	return buf_putc(out, '}');
}

int
field_put_line_end(struct buf *out, size_t before, int r)
{
	if (r == 0)
		r = field_put_end(out);
	if (r == 0)
		r = buf_puts(out, "\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}
