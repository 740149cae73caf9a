/*
 * command - one command line: cut off a stream, or put on one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/command.h"

#include <errno.h>
#include <string.h>

enum command_status
command_decode(const char *bytes, size_t len, size_t max, size_t *scanned,
    struct command_line *out)
{
	const char *lf = NULL;

	if (*scanned < len)
		lf = memchr(bytes + *scanned, '\n', len - *scanned);
	size_t size = lf != NULL ? (size_t)(lf - bytes) : len;
	if (size > max)
		return COMMAND_TOO_LONG;
	if (lf == NULL) {
		*scanned = len;
		return COMMAND_MORE;
	}
	*scanned = 0;
	out->size = size + 1;

	if (size > 0 && bytes[size - 1] == '\r')
		size--;
	const char *space = memchr(bytes, ' ', size);
	out->verb = bytes;
	out->verb_len = space != NULL ? (size_t)(space - bytes) : size;
	out->arg = space != NULL ? space + 1 : NULL;
	out->arg_len = space != NULL ? size - out->verb_len - 1 : 0;
	return COMMAND_OK;
}

bool
command_is(const struct command_line *line, const char *verb)
{
	return line->verb_len == strlen(verb) &&
	    memcmp(line->verb, verb, line->verb_len) == 0;
}

int
command_put(struct buf *out, const char *verb, const char *arg, size_t len)
{
	size_t before = buf_len(out);

	if (arg != NULL &&
	    (memchr(arg, '\n', len) != NULL || memchr(arg, '\r', len) != NULL))
		return -EINVAL;

	int r = buf_puts(out, verb);
	if (r == 0 && arg != NULL) {
		r = buf_putc(out, ' ');
		if (r == 0)
			r = buf_append(out, arg, len);
	}
	if (r == 0)
		r = buf_puts(out, "\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}
