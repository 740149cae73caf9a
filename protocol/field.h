/*
 * field - members of a payload, found and read the way Faktory does.
 *
 * Names match without regard to the case of ASCII letters, the last of two
 * equal ones counts, and null is the same as absent.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_FIELD_H
#define PROTOCOL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

/* Whether a key, once decoded, is this lower-case name. */
bool field_is(const struct json *key, const char *name);

/* The member's value; JSON_NONE when absent or null. */
struct json field_get(const struct json *object, const char *name);

/*
 * Reads values that field_get() returned. An absent one is 0 or NULL, and
 * the result is 0. -EINVAL for another kind, -ERANGE for a number outside
 * int64.
 */
int field_int(const struct json *value, int64_t *out);

/*
 * The decoded string, owned, with a NUL that *len (which may be NULL) does
 * not count. -EINVAL, -ENOMEM; -ERANGE above max bytes.
 */
int field_string(const struct json *value, size_t max, char **out, size_t *len);

/* The same for text that has no length: a NUL within it is -EINVAL. */
int field_text(const struct json *value, size_t max, char **out);

/*
 * Append `"name":value,` for an object that is being written; text is
 * NUL-terminated. Return as buf_append(); what was appended stays.
 */
int field_put_text(struct buf *out, const char *name, const char *text);
int field_put_int(struct buf *out, const char *name, int64_t value);

/* Appends "name":["line",...], with the comma behind it. */
int field_put_list(
    struct buf *out, const char *name, const char *const *lines, size_t n);

/* Ends the object: the last comma becomes '}'. */
int field_put_end(struct buf *out);

/*
 * Ends the object and its line, when r, of what was put since `before`, is 0;
 * else, or when that fails, takes all of it back. Returns the first error.
 */
int field_put_line_end(struct buf *out, size_t before, int r);

#endif
