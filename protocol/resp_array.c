/*
 * resp_array - several bulk strings in one reply.
 *
 * A file of its own, so that a reply that is no array costs what it did.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/resp_array.h"

#include <string.h>

/* Reads the first line: how many strings, and in *size its bytes. */
static enum resp_status
read_count(const char *bytes, size_t len, int64_t *count, size_t *size)
{
	size_t seen = len < RESP_LINE_MAX ? len : RESP_LINE_MAX;
	const char *lf = memchr(bytes, '\n', seen);
	size_t end;

	if (lf == NULL)
		return seen < RESP_LINE_MAX ? RESP_MORE : RESP_HUGE;
	end = (size_t)(lf - bytes);
	*size = end + 1;
	if (end > 1 && bytes[end - 1] == '\r')
		end--;
	*count = 0;
	for (size_t i = 1; i < end; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return RESP_BAD;
		if (*count <= RESP_ARRAY_MAX)
			*count = *count * 10 + (bytes[i] - '0');
	}
	if (*count == 0)
		return RESP_BAD;
	return *count <= RESP_ARRAY_MAX ? RESP_OK : RESP_HUGE;
}

/* One after the other: each is looked at as soon as those before it are whole. */
enum resp_status
resp_array_decode(
    const char *bytes, size_t len, size_t max_bulk, struct resp *out)
{
	struct resp r = { .kind = RESP_ARRAY };
	size_t first = 0;
	enum resp_status s = read_count(bytes, len, &r.number, &first);

	r.size = first;
	for (int64_t i = 0; s == RESP_OK && i < r.number; i++) {
		struct resp part;

		if (r.size == len)
			return RESP_MORE;
		if (bytes[r.size] != '$')
			return RESP_BAD;
		s = resp_decode(bytes + r.size, len - r.size, max_bulk, &part);
		if (s == RESP_OK && part.kind != RESP_BULK)
			s = RESP_BAD;
		if (s == RESP_OK) {
			r.size += part.size;
			max_bulk -= part.len;
		}
	}
	if (s == RESP_OK) {
		r.text = bytes + first;
		r.len = r.size - first;
		*out = r;
	}
	return s;
}

bool
resp_next(const struct resp *array, size_t *at, const char **text, size_t *len)
{
	struct resp part;

	if (resp_decode(array->text + *at, array->len - *at, array->len,
		&part) != RESP_OK)
		return false;
	*at += part.size;
	*text = part.text;
	*len = part.len;
	return true;
}
