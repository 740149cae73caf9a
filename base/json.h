/*
 * json - a validating scanner over JSON text: spans, no tree.
 *
 * One pass proves that a document is JSON (RFC 8259: syntax, UTF-8, escapes,
 * at most JSON_DEPTH_MAX levels); after that, values are pointed at where
 * they lie and never rewritten, so a number keeps the digits it came with.
 * Nothing here allocates.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

enum { JSON_DEPTH_MAX = 64 };

enum json_kind {
	JSON_NONE, /* absent: what a zeroed struct json says */
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

/* One value, where it lies. Borrowed from the text that was checked. */
struct json {
	enum json_kind kind;
	const char *text; /* first byte: '{', '[', '"', a digit, ... */
	size_t len;       /* including the closing bracket or quote */
};

struct json_fault {
	size_t at;       /* byte offset of the first byte that cannot be */
	const char *why; /* a fixed text: "expected ',' or '}'" */
};

/*
 * Checks that text is exactly one JSON document, white space around it
 * allowed, and points *value at it without that white space.
 * Returns 0; or -EINVAL and fills *fault (which may be NULL).
 */
int json_check(
    const char *text, size_t len, struct json *value, struct json_fault *fault);

/*
 * Walks the members of an object or the elements of an array that has been
 * checked. Returns false after the last.
 *
 *	struct json_walk w = json_walk(&object);
 *	while (json_next_member(&w, &key, &value))
 */
struct json_walk {
	const char *at;
	const char *end;
};
struct json_walk json_walk(const struct json *container);
bool
json_next_member(struct json_walk *w, struct json *key, struct json *value);
bool json_next_element(struct json_walk *w, struct json *value);

/* Members or elements of a container; 0 for anything else. */
size_t json_count(const struct json *container);

/*
 * The value of the last member whose decoded key equals name, bytewise; a
 * value of kind JSON_NONE when there is none or object is not an object.
 */
struct json json_get(const struct json *object, const char *name);

/* The i-th element, counted from 0; JSON_NONE outside. */
struct json json_at(const struct json *array, size_t i);

/* Whether a string token, once decoded, equals these bytes. */
bool json_string_is(const struct json *string, const char *bytes, size_t len);

/*
 * Decodes a string token into out (no NUL is added). An escaped lone
 * surrogate becomes U+FFFD. Returns the decoded length, which never exceeds
 * string->len; -ENOBUFS when cap is too small; -EINVAL when it is no string.
 */
ssize_t json_decode_string(const struct json *string, char *out, size_t cap);

/*
 * When a string token has no escapes, points at its bytes between the quotes
 * and returns true; they are borrowed from the document.
 */
bool
json_plain_string(const struct json *string, const char **bytes, size_t *len);

/*
 * The token as an integer: digits with an optional '-', no fraction, no
 * exponent. Returns 0, -EINVAL for any other token, -ERANGE outside int64.
 */
int json_int(const struct json *number, int64_t *out);

/* The number as a double (strtod on the token). -EINVAL for other kinds. */
int json_double(const struct json *number, double *out);

/*
 * Appends bytes as a JSON string with its quotes. Bytes that are not UTF-8
 * become U+FFFD; control characters, '"' and '\' are escaped; everything else
 * stays. Returns as buf_append().
 */
int json_put_string(struct buf *out, const char *bytes, size_t len);

/* Appends a checked value without insignificant white space. */
int json_put_compact(struct buf *out, const struct json *value);

/* Whether these bytes are well-formed UTF-8 (RFC 3629). */
bool json_utf8_valid(const char *bytes, size_t len);

#endif
