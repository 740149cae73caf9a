/*
 * json - a validating scanner over JSON text: spans, no tree.
 *
 * This file proves and walks; json_text.c reads and writes single values.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/json.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

_Static_assert(JSON_DEPTH_MAX <= 64, "one bit a level in struct scan");

struct scan {
	const char *at;
	const char *end;
	const char *why;  /* set when a step returns false; at is the place */
	uint64_t objects; /* one bit a level, the innermost lowest: an object */
	unsigned depth;
};

/* What ends a run of ordinary bytes in a string: '"', '\', < 0x20, >= 0x80. */
static const bool stops[256] = {
	[0x00 ... 0x1f] = true,
	['"'] = true,
	['\\'] = true,
	[0x80 ... 0xff] = true,
};

static bool
fault(struct scan *s, const char *why)
{
	s->why = s->at == s->end ? "unexpected end" : why;
	return false;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(struct scan *s)
{
	while (s->at < s->end && is_space(*s->at))
		s->at++;
}

static bool
is_digit(const struct scan *s)
{
	return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F');
}

/* After the backslash. */
static bool
scan_escape(struct scan *s)
{
	static const char why[] = "expected an escape sequence";

	if (s->at == s->end || *s->at == '\0' ||
	    strchr("\"\\/bfnrtu", *s->at) == NULL)
		return fault(s, why);
	if (*s->at++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, s->at++)
		if (s->at == s->end || !is_hex(*s->at))
			return fault(s, "expected four hexadecimal digits");
	return true;
}

/*
 * The first byte at or after p that ends a run of ordinary ones, or end. Eight
 * at a time: a byte's highest bit tells that it is one of those. A borrow may
 * also mark a byte above a real one, which does no harm: it ends the quick way.
 */
static const char *
skip_ordinary(const char *p, const char *end)
{
	const uint64_t low = UINT64_C(0x0101010101010101);
	const uint64_t high = low << 7;
	uint64_t word;

	while (end - p >= (ptrdiff_t)sizeof word) {
		memcpy(&word, p, sizeof word);
		uint64_t quote = (word ^ low * '"') - low;
		uint64_t slash = (word ^ low * '\\') - low;
		uint64_t marks = word | (word - low * 0x20) | quote | slash;
		if ((marks & high) != 0)
			break;
		p += sizeof word;
	}
	while (p < end && !stops[(unsigned char)*p])
		p++;
	return p;
}

/* At the opening quote; afterwards behind the closing one. */
static bool
scan_string(struct scan *s)
{
	s->at++;
	for (;;) {
		s->at = skip_ordinary(s->at, s->end);
		if (s->at == s->end)
			return fault(s, NULL);
		unsigned char c = (unsigned char)*s->at;
		if (c == '"') {
			s->at++;
			return true;
		}
		if (c == '\\') {
			s->at++;
			if (!scan_escape(s))
				return false;
		} else if (c < 0x20) {
			return fault(s, "control character in a string");
		} else {
			size_t n = utf8_step(s->at, (size_t)(s->end - s->at));
			if (n == 0)
				return fault(s, "a string that is not UTF-8");
			s->at += n;
		}
	}
}

static bool
scan_digits(struct scan *s)
{
	if (!is_digit(s))
		return fault(s, "expected a digit");
	while (is_digit(s))
		s->at++;
	return true;
}

static bool
scan_number(struct scan *s)
{
	if (*s->at == '-')
		s->at++;
	if (s->at < s->end && *s->at == '0')
		s->at++;
	else if (!scan_digits(s))
		return false;

	if (s->at < s->end && *s->at == '.') {
		s->at++;
		if (!scan_digits(s))
			return false;
	}
	if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
		s->at++;
		if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
			s->at++;
		return scan_digits(s);
	}
	return true;
}

static bool
scan_word(struct scan *s, const char *word)
{
	for (; *word != '\0'; word++, s->at++)
		if (s->at == s->end || *s->at != *word)
			return fault(s, "expected a value");
	return true;
}

static bool
scan_scalar(struct scan *s)
{
	switch (*s->at) {
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		if (*s->at == '-' || is_digit(s))
			return scan_number(s);
		return fault(s, "expected a value");
	}
}

/* A key and its colon. */
static bool
scan_key(struct scan *s, const char *why)
{
	skip_space(s);
	if (s->at == s->end || *s->at != '"')
		return fault(s, why);
	if (!scan_string(s))
		return false;
	skip_space(s);
	if (s->at == s->end || *s->at != ':')
		return fault(s, "expected ':'");
	s->at++;
	return true;
}

/* Behind a bracket; *empty when the closing one follows, which is left. */
static bool
enter(struct scan *s, bool object, bool *empty)
{
	if (s->depth == JSON_DEPTH_MAX)
		return fault(s, "nested deeper than 64 levels");
	s->at++;
	s->depth++;
	s->objects = s->objects << 1 | object;

	skip_space(s);
	*empty = s->at < s->end && *s->at == (object ? '}' : ']');
	if (!object || *empty)
		return true;
	return scan_key(s, "expected a key or '}'");
}

/* Behind a value: closes what ends here. *more when another value is due. */
static bool
leave(struct scan *s, bool *more)
{
	*more = false;
	while (s->depth > 0) {
		bool object = s->objects & 1;

		skip_space(s);
		if (s->at < s->end && *s->at == ',') {
			s->at++;
			*more = true;
			return !object || scan_key(s, "expected a key");
		}
		if (s->at == s->end || *s->at != (object ? '}' : ']'))
			return fault(s,
			    object ? "expected ',' or '}'"
				   : "expected ',' or ']'");
		s->at++;
		s->depth--;
		s->objects >>= 1;
	}
	return true;
}

static bool
scan_document(struct scan *s)
{
	bool more = true;

	while (more) {
		bool empty = true;

		skip_space(s);
		if (s->at == s->end)
			return fault(s, NULL);
		if (*s->at == '{' || *s->at == '[') {
			if (!enter(s, *s->at == '{', &empty))
				return false;
			if (!empty)
				continue;
		} else if (!scan_scalar(s)) {
			return false;
		}
		if (!leave(s, &more))
			return false;
	}
	return true;
}

static enum json_kind
kind_of(char first)
{
	switch (first) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

int
json_check(const char *text, size_t len, struct json *value,
    struct json_fault *fault_out)
{
	struct scan s = { .at = text, .end = text + len };

	skip_space(&s);
	const char *first = s.at;
	bool ok = scan_document(&s);
	const char *last = s.at;
	if (ok) {
		skip_space(&s);
		ok = s.at == s.end || fault(&s, "text after the end");
	}
	if (!ok) {
		if (fault_out != NULL)
			*fault_out =
			    (struct json_fault){ (size_t)(s.at - text), s.why };
		return -EINVAL;
	}
	*value =
	    (struct json){ kind_of(*first), first, (size_t)(last - first) };
	return 0;
}

/* From here on the text has been checked; ends are trusted, not searched. */

static const char *
string_end(const char *p, const char *end)
{
	p++;
	while ((p = skip_ordinary(p, end)) < end) {
		if (*p == '"')
			return p + 1;
		p += *p == '\\' ? 2 : 1;
	}
	return end;
}

static const char *
container_end(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		char c = *p;

		if (c == '"') {
			p = string_end(p, end);
			continue;
		}
		p++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return p;
}

static const char *
scalar_end(const char *p, const char *end)
{
	while (p < end && *p != ',' && *p != ']' && *p != '}' && !is_space(*p))
		p++;
	return p;
}

/* Skips what lies between values, then takes one. */
static bool
next_value(struct json_walk *w, struct json *value)
{
	const char *p = w->at;

	while (p < w->end && (*p == ',' || *p == ':' || is_space(*p)))
		p++;
	w->at = p;
	if (p == w->end)
		return false;

	enum json_kind kind = kind_of(*p);
	if (kind == JSON_STRING)
		w->at = string_end(p, w->end);
	else if (kind == JSON_OBJECT || kind == JSON_ARRAY)
		w->at = container_end(p, w->end);
	else
		w->at = scalar_end(p, w->end);
	*value = (struct json){ kind, p, (size_t)(w->at - p) };
	return true;
}

struct json_walk
json_walk(const struct json *container)
{
	if (container->kind != JSON_OBJECT && container->kind != JSON_ARRAY)
		return (struct json_walk){ NULL, NULL };
	return (struct json_walk){ container->text + 1,
		container->text + container->len - 1 };
}

bool
json_next_member(struct json_walk *w, struct json *key, struct json *value)
{
	return next_value(w, key) && next_value(w, value);
}

bool
json_next_element(struct json_walk *w, struct json *value)
{
	return next_value(w, value);
}

size_t
json_count(const struct json *container)
{
	struct json_walk w = json_walk(container);
	struct json value;
	size_t n = 0;

	while (next_value(&w, &value))
		n++;
	return container->kind == JSON_OBJECT ? n / 2 : n;
}

struct json
json_get(const struct json *object, const char *name)
{
	struct json key, value, found = { .kind = JSON_NONE };
	size_t len = strlen(name);

	if (object->kind != JSON_OBJECT)
		return found;
	struct json_walk w = json_walk(object);
	while (json_next_member(&w, &key, &value))
		if (json_string_is(&key, name, len))
			found = value;
	return found;
}

struct json
json_at(const struct json *array, size_t i)
{
	struct json value, none = { .kind = JSON_NONE };

	if (array->kind != JSON_ARRAY)
		return none;
	struct json_walk w = json_walk(array);
	while (json_next_element(&w, &value))
		if (i-- == 0)
			return value;
	return none;
}
