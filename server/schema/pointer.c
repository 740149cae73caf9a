/*
 * pointer - JSON Pointers, read and written.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/pointer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Undoes ~0 and ~1 in place of a copy. False: another '~', or too long. */
static bool
unescape(const char *from, size_t len, char *to, size_t cap, size_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = from[i];

		if (c == '~') {
			if (++i == len || (from[i] != '0' && from[i] != '1'))
				return false;
			c = from[i] == '0' ? '~' : '/';
		}
		if (n == cap)
			return false;
		to[n++] = c;
	}
	*out = n;
	return true;
}

static struct json
member(const struct json *object, const char *name, size_t len)
{
	struct json_walk w = json_walk(object);
	struct json key, value, found = { 0 };

	while (json_next_member(&w, &key, &value))
		if (json_string_is(&key, name, len))
			found = value;
	return found;
}

/* Digits without a leading zero. */
static struct json
element(const struct json *array, const char *name, size_t len)
{
	size_t index = 0;

	if (len == 0 || len > 9 || (name[0] == '0' && len > 1))
		return (struct json){ 0 };
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return (struct json){ 0 };
		index = index * 10 + (size_t)(name[i] - '0');
	}
	return json_at(array, index);
}

struct json
pointer_find(const struct json *root, const char *pointer, size_t len)
{
	struct json at = *root;

	while (len > 0 && at.kind != JSON_NONE) {
		char name[1024];
		size_t used;

		if (*pointer != '/')
			return (struct json){ 0 };
		pointer++;
		len--;
		const char *slash = memchr(pointer, '/', len);
		size_t part = slash != NULL ? (size_t)(slash - pointer) : len;
		if (!unescape(pointer, part, name, sizeof name, &used))
			return (struct json){ 0 };
		if (at.kind == JSON_ARRAY)
			at = element(&at, name, used);
		else
			at = member(&at, name, used);
		pointer += part;
		len -= part;
	}
	return at;
}

static void
add(char *out, const char *bytes, size_t len)
{
	size_t have = strlen(out), room = POINTER_SHOWN_MAX - 1 - have;

	if (len > room)
		len = utf8_cut(bytes, len, room);
	memcpy(out + have, bytes, len);
	out[have + len] = '\0';
}

/* Control characters would make a message more than one line. */
void
pointer_add_name(char out[POINTER_SHOWN_MAX], const struct json *name)
{
	char plain[POINTER_SHOWN_MAX * 6];
	struct json shown = *name;
	ssize_t len;

	/* A long one is cut; what is cut within an escape is no string. */
	if (shown.len > sizeof plain)
		len = -1;
	else
		len = json_decode_string(&shown, plain, sizeof plain);
	add(out, "/", 1);
	if (len < 0) {
		add(out, "...", 3);
		return;
	}
	for (size_t i = 0, n; i < (size_t)len; i += n) {
		unsigned char c = (unsigned char)plain[i];

		n = utf8_step(plain + i, (size_t)len - i);
		if (n == 0)
			n = 1;
		if (c == '~')
			add(out, "~0", 2);
		else if (c == '/')
			add(out, "~1", 2);
		else if (c < ' ' || c == 0x7f)
			add(out, "?", 1);
		else
			add(out, plain + i, n);
	}
}

void
pointer_add_index(char out[POINTER_SHOWN_MAX], size_t index)
{
	char text[24];
	int n = snprintf(text, sizeof text, "/%zu", index);

	add(out, text, (size_t)n);
}

static bool
holds(const struct json *outer, const struct json *inner)
{
	return inner->text >= outer->text &&
	    inner->text + inner->len <= outer->text + outer->len;
}

void
pointer_to(const struct json *root, const struct json *inner,
    char out[POINTER_SHOWN_MAX])
{
	struct json at = *root;

	out[0] = '\0';
	while (at.text != inner->text || at.len != inner->len) {
		struct json_walk w = json_walk(&at);
		struct json key = { 0 }, value = { 0 };
		bool object = at.kind == JSON_OBJECT, more;
		size_t index = 0;

		while ((more = object ? json_next_member(&w, &key, &value)
				      : json_next_element(&w, &value)) &&
		    !holds(&value, inner))
			index++;
		if (!more)
			return;
		if (object)
			pointer_add_name(out, &key);
		else
			pointer_add_index(out, index);
		at = value;
	}
}
