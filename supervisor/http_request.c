/*
 * http_request - a request line, then headers up to an empty line.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/http_request.h"

#include <string.h>

/* Graphic ASCII, as a target must be. */
static bool
is_clean(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] <= 0x20 || bytes[i] >= 0x7f)
			return false;
	return len > 0;
}

static bool
begins(const char *bytes, size_t len, const char *front)
{
	return len >= strlen(front) && memcmp(bytes, front, strlen(front)) == 0;
}

/* The line is without its end. */
static int
read_line(const char *line, size_t len, struct http_request *q)
{
	const char *target = memchr(line, ' ', len);
	const char *end = target != NULL
	    ? memchr(target + 1, ' ', len - (size_t)(target + 1 - line))
	    : NULL;

	if (end == NULL || !is_clean(line, (size_t)(target - line)))
		return 400;
	const char *version = end + 1;
	size_t version_len = len - (size_t)(version - line);
	target++;
	size_t target_len = (size_t)(end - target);
	if (version_len != 8 || !begins(version, version_len, "HTTP/1.") ||
	    version[7] < '0' || version[7] > '1' ||
	    !is_clean(target, target_len) || target[0] != '/')
		return 400;
	q->head = begins(line, len, "HEAD ");
	if (!q->head && !begins(line, len, "GET "))
		return 405;
	const char *query = memchr(target, '?', target_len);
	q->path = target;
	q->path_len = query != NULL ? (size_t)(query - target) : target_len;
	return 200;
}

/* Whether the empty line that ends the headers is there. */
static bool
is_complete(const char *bytes, size_t len)
{
	const char *at = bytes;
	size_t left = len;

	for (;;) {
		const char *lf = memchr(at, '\n', left);

		if (lf == NULL)
			return false;
		left -= (size_t)(lf + 1 - at);
		at = lf + 1;
		if (left >= 1 && at[0] == '\n')
			return true;
		if (left >= 2 && at[0] == '\r' && at[1] == '\n')
			return true;
	}
}

int
http_request_read(const char *bytes, size_t len, struct http_request *q)
{
	const char *lf = memchr(bytes, '\n', len);

	if (lf == NULL)
		return len > HTTP_LINE_MAX ? 431 : 0;
	size_t line = (size_t)(lf - bytes);
	if (line > HTTP_LINE_MAX)
		return 431;
	if (line > 0 && bytes[line - 1] == '\r')
		line--;
	int status = read_line(bytes, line, q);
	if (status != 200)
		return status;
	/* Never past the limit, however much has come at once. */
	if (is_complete(bytes, len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX))
		return 200;
	return len >= HTTP_HEAD_MAX ? 431 : 0;
}
