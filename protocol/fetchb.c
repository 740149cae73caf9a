/*
 * fetchb - the line that asks for several jobs: FETCHB 8 critical default:2
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/fetchb.h"

#include <stdint.h>
#include <string.h>

/* 0: not from 1 to FETCHB_JOBS_MAX, or not digits alone. */
static size_t
read_number(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		n = n * 10 + (size_t)(text[i] - '0');
		if (n > FETCHB_JOBS_MAX)
			return 0;
	}
	return n;
}

size_t
fetchb_read_count(const char **arg, size_t *len)
{
	const char *space = memchr(*arg, ' ', *len);
	size_t n;

	if (space == NULL)
		return 0;
	n = read_number(*arg, (size_t)(space - *arg));
	if (n > 0) {
		*len -= (size_t)(space - *arg) + 1;
		*arg = space + 1;
	}
	return n;
}

size_t
fetchb_read_limit(const char *word, size_t *len)
{
	const char *colon = memchr(word, ':', *len);
	size_t before = colon != NULL ? (size_t)(colon - word) : *len;
	size_t behind = *len - before;

	*len = before;
	return colon == NULL ? SIZE_MAX : read_number(colon + 1, behind - 1);
}

int
fetchb_put_count(struct buf *out, size_t count)
{
	return buf_printf(out, "FETCHB %zu", count);
}

int
fetchb_put_queue(struct buf *out, const char *name, size_t limit)
{
	return limit > FETCHB_JOBS_MAX
	    ? buf_printf(out, " %s", name)
	    : buf_printf(out, " %s:%zu", name, limit);
}
